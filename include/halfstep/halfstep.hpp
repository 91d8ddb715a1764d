// All of the public face.
#pragma once
#include "halfstep/bench.hpp"
#include "halfstep/dataset.hpp"
#include "halfstep/demo.hpp"
#include "halfstep/error.hpp"
#include "halfstep/files.hpp"
#include "halfstep/gradients.hpp"
#include "halfstep/info.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/model.hpp"
#include "halfstep/options.hpp"
#include "halfstep/text.hpp"
#include "halfstep/trainer.hpp"
