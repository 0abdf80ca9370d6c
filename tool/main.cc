// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "api/registry.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace {

enum Exit { success = 0, check_failed = 1, bad_usage = 2 };

int complain(std::string_view message, Exit exit) {
  std::fflush(stdout);
  const std::string line = "actfun: " + std::string(message) + "\n";
  std::fputs(line.c_str(), stderr);
  return exit;
}

/// The arguments, last first as CLI11 wants them. A negative number gets a space in front, which keeps CLI11 from
/// taking it for an option; actfun::tool::number and CLI11's own numbers skip the space.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> list;
  for (int i = argc - 1; i > 0; --i) {
    double ignored;
    const bool negative = argv[i][0] == '-' && actfun::parse_number(argv[i], ignored);
    list.push_back(negative ? std::string(" ") + argv[i] : argv[i]);
  }
  return list;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace actfun::tool;
  std::signal(SIGPIPE, SIG_DFL);  // a reader that closes the pipe ends us quietly, whatever we inherited

  CLI::App app("Activation functions and their derivatives, correctly rounded.", "actfun");
  app.set_version_flag("--version", "actfun " ACTFUN_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(
      "FUNCTION is NAME or NAME:PARAMETER=VALUE,PARAMETER=VALUE, such as gelu or elu:alpha=0.5; aliases work.\n"
      "NAME@PRESET has a framework's defaults, as in leaky_relu@keras; `actfun show NAME` lists them.\n"
      "`actfun VERB --help` shows examples. Exit status: 0 success, 1 a check failed, 2 wrong usage or bad input.");
  add_list(app);
  add_show(app);
  add_eval(app);
  add_apply(app);
  add_backward(app);
  add_chain(app);
  add_plot(app);
  add_gallery(app);
  add_diff(app);
  add_error(app);
  add_naive(app);
  add_verify(app);
  add_targets(app);
  add_bench(app);
  add_lab(app);
  add_health(app);
  add_glu(app);
  add_simplex(app);
  add_softmax(app);
  add_logsumexp(app);

  const auto named = [&](CLI::App* verb) { return verb->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(named).empty())
    return complain("there is no verb '" + std::string(argv[1]) + "' (see `actfun --help`)", bad_usage);
  try {
    app.parse(arguments(argc, argv));
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) return complain("cannot write to standard output", bad_usage);
    return success;
  } catch (const CLI::Success& answer) {  // --help, --version
    return app.exit(answer);
  } catch (const CLI::ParseError& error) {
    return complain(replace_all(error.what(), "  ", " ") + " (see `actfun --help`)", bad_usage);
  } catch (const CheckFailed& error) {
    return complain(error.what(), check_failed);
  } catch (const std::bad_alloc&) {
    return complain("out of memory", bad_usage);
  } catch (const std::exception& error) {
    if (std::ferror(stdout)) return complain("cannot write to standard output", bad_usage);
    return complain(error.what(), bad_usage);
  }
}
