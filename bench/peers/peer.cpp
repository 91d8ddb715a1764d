#include "peers/peer.hpp"

#include "peers/peer_list.hpp"

namespace halfstep::peers {

#define HS_PEER(name) Library name##_library();
HS_FOR_EACH_PEER(HS_PEER)
#undef HS_PEER

std::vector<Library> libraries() {
  std::vector<Library> all;
#define HS_PEER(name) all.push_back(name##_library());
  HS_FOR_EACH_PEER(HS_PEER)
#undef HS_PEER
  return all;
}

}  // namespace halfstep::peers
