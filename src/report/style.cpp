#include "report/style.hpp"

namespace halfstep::internal::report {
namespace {

// Colours are variables: the dark half of the day gives them other values, and so does paper.
constexpr std::string_view kPalette = R"(
:root{color-scheme:light dark;--bg:#f6f5f1;--card:#fff;--ink:#1d2430;--soft:#626b78;--line:#e3e1da;--grid:#ecebe5;
--c0:#2563c9;--c1:#d9641e;--c2:#178a5c;--c3:#8d4bb8;--c4:#c2315a;--c5:#0b8a9e;--c6:#8a6a12;--c7:#68717e;
--bad:#c62828;--good:#178a5c}
@media screen and (prefers-color-scheme:dark){:root{--bg:#14171c;--card:#1c2027;--ink:#e6e8ec;--soft:#99a2af;
--line:#2d333d;--grid:#282e37;--c0:#6ea4ff;--c1:#ff9d57;--c2:#4fcf9b;--c3:#c792ea;--c4:#ff7a9c;--c5:#54c7d8;
--c6:#d9b75a;--c7:#9aa4b2;--bad:#ff6b62;--good:#4fcf9b}}
@media print{:root{--bg:#fff;--card:#fff;color-scheme:light}}
)";

constexpr std::string_view kLayout = R"(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"Liberation Sans",sans-serif}
main{max-width:1200px;margin:0 auto;padding:28px 18px 40px}
header p{margin:.2em 0;color:var(--soft);overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.2;margin:0 0 .2em;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:19px;margin:44px 0 4px;padding-top:14px;border-top:1px solid var(--line);letter-spacing:-.01em}
h3{font-size:15px;margin:26px 0 6px}
.lead{margin:0 0 14px;color:var(--soft);max-width:78ch}
.big{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:12px;margin:20px 0 14px}
.big div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px 10px}
.big b{display:block;white-space:nowrap;font-size:22px;line-height:1.15;font-weight:650;letter-spacing:-.02em;
font-variant-numeric:tabular-nums}
.big div:first-child b{color:var(--c0)}
.big span{color:var(--soft);font-size:13px}
.ends{display:flex;flex-wrap:wrap;gap:6px 8px;margin:0 0 14px;padding:0;list-style:none}
.ends li{border:1px solid var(--line);border-radius:99px;padding:2px 11px;font-size:13px;background:var(--card);
overflow-wrap:anywhere}
.ends .bad{border-color:var(--bad);color:var(--bad)}.ends .good{border-color:var(--good);color:var(--good)}
.fail{border:1px solid var(--bad);border-left-width:5px;border-radius:8px;background:var(--card);padding:10px 14px;
margin:14px 0;overflow-wrap:anywhere}
code{display:block;font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;
background:var(--card);border:1px solid var(--line);border-radius:8px;padding:9px 12px;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:16px;align-items:start}
.pair{display:flex;flex-wrap:wrap;gap:16px 28px;align-items:start}.pair>*{max-width:100%}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:11px 13px 9px;
break-inside:avoid}
figcaption{display:flex;flex-wrap:wrap;gap:1px 12px;align-items:baseline;margin-bottom:5px;font-size:14px;
overflow-wrap:anywhere}
.legend{color:var(--soft);font-size:12.5px;white-space:nowrap}
.keys{display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 12px}.keys .legend{white-space:normal;overflow-wrap:anywhere}
.key{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:.25em}
.round{width:8px;height:8px;border-radius:50%;vertical-align:.02em}.hollow{border:2px solid var(--c0)}.pale{height:8px;opacity:.3;vertical-align:.05em}
.note{color:var(--soft);font-size:12.5px;line-height:1.4;margin:5px 0 2px;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto}
)";

constexpr std::string_view kPictures = R"(
.labels,.labels text{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums;stroke:none}
.grid{stroke:var(--grid);fill:none}.axis{stroke:var(--soft);fill:none;opacity:.6}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.dash{stroke-dasharray:5 4;stroke-width:1.5}
.dots{fill:none;stroke-width:5;stroke-linecap:round}.cloud{fill:none;stroke-width:4;stroke-linecap:round;stroke-opacity:.45}
.area{stroke:none;fill-opacity:.17}.fill{stroke:none;fill-opacity:.85}.ring{fill:none;stroke-width:2}
.heat{fill:var(--c0);stroke:none;shape-rendering:crispEdges}.limit{stroke:var(--bad);stroke-dasharray:4 3;fill:none;opacity:.8}
.limit.mild{stroke:var(--c1)}
text.at{fill:var(--bad);font-size:10px}text.mild{fill:var(--c1)}
)";

constexpr std::string_view kTables = R"(
.scroll{overflow-x:auto;width:fit-content;max-width:100%;margin:8px 0;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{border-collapse:collapse;font-size:13.5px;line-height:1.4}
th,td{padding:5px 13px;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid);white-space:nowrap;
unicode-bidi:isolate}
tr:last-child td{border-bottom:0}
th{color:var(--soft);font-weight:500;font-size:12.5px;background:var(--card)}
.n{text-align:right;font-variant-numeric:tabular-nums}
td.w{white-space:normal;overflow-wrap:anywhere;min-width:170px}
td.x{min-width:110px;width:min(420px,40vw)}
.bar{display:block;height:11px;border-radius:3px;background:var(--c0);margin-top:4px;min-width:1px}
.less{background:var(--c7)}
.confusion td,.confusion th{border:0;padding:6px 9px}
.confusion tbody th{font-weight:400;text-align:right;max-width:14em;overflow:hidden;text-overflow:ellipsis}
.confusion thead th{text-align:center;max-width:9em;overflow:hidden;text-overflow:ellipsis}
.confusion td{text-align:center;font-variant-numeric:tabular-nums;min-width:44px;border:1px solid var(--card)}
.confusion.many{font-size:11px}.confusion.many td{min-width:22px;padding:3px 4px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:8px 0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}
details{margin:10px 0}summary{cursor:pointer;color:var(--soft);font-size:14px}
ul.notes{margin:8px 0;padding-left:20px;overflow-wrap:anywhere}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media(max-width:480px){main{padding:18px 12px 30px}h1{font-size:22px}.big{grid-template-columns:1fr 1fr;gap:8px}
.labels,.labels text{font-size:12px}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}
th,td{padding:5px 8px}td.w{min-width:90px}
.confusion td,.confusion th{padding:4px 5px}.confusion td{min-width:26px}}
@media print{main{max-width:none;padding:0}body{font-size:12px}h2,h3,.lead{break-after:avoid}tr,dt,dd{break-inside:avoid}.figures{grid-template-columns:1fr 1fr}
.scroll{overflow:visible}td,th{white-space:normal}.n{white-space:nowrap}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)";

// A class of each colour, for lines, areas and keys.
std::string colour_rules() {
  std::string rules;
  for (const std::string_view name : {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "bad", "good"}) {
    const std::string variable = "var(--" + std::string(name) + ")", dot = "." + std::string(name);
    rules += ".line" + dot + ",.dots" + dot + ",.cloud" + dot + ",.ring" + dot + "{stroke:" + variable + "}.fill" +
             dot + ",.area" + dot + "{fill:" + variable + "}.key" + dot + "{background:" + variable + "}\n";
  }
  return rules;
}

// Shades of a heat map: h0 is nothing, h9 the most. In tables the ink turns where the ground is dark.
std::string heat_rules() {
  std::string rules;
  for (int i = 1; i <= 9; ++i) {
    const std::string name = "h" + std::to_string(i);
    rules += ".heat." + name + "{fill-opacity:" + (i == 9 ? std::string("1") : "." + std::to_string(i + 1)) + "}";
    for (const auto& [kind, colour] : {std::pair{"r", "--c0"}, std::pair{"f", "--c1"}}) {
      rules += "td." + std::string(kind) + std::to_string(i) + "{background:color-mix(in srgb,var(" + colour + ") " +
               std::to_string(6 + i * 7) + "%,var(--card))}";
    }
    rules += "\n";
  }
  return rules + "td.r7,td.r8,td.r9,td.f7,td.f8,td.f9{font-weight:600}\n";
}

}  // namespace

std::string page(std::string_view title, const Markup& body, std::string_view foot) {
  std::string style;
  for (const std::string_view part : {kPalette, kLayout, kPictures, kTables}) style += part;
  style += colour_rules() + heat_rules();
  // Nothing is fetched and nothing runs, whatever a name in the data tries.
  const Markup head = lone_element("meta", {{"charset", "utf-8"}}) +
                      lone_element("meta", {{"http-equiv", "Content-Security-Policy"},
                                            {"content", "default-src 'none'; style-src 'unsafe-inline'"}}) +
                      lone_element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}) +
                      element("title", title) + Markup{"<style>" + style + "</style>"};
  const Markup main = element("main", body + element("footer", foot));
  return "<!DOCTYPE html>\n" +
         element("html", {{"lang", "en"}}, element("head", head) + Markup{"\n"} + element("body", main)).text + "\n";
}

}  // namespace halfstep::internal::report
