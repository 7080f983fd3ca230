//! The command line holds together, and its reference in `docs/reference/cli.md` is current.
//! `UPDATE_GOLDEN=1 cargo test --lib cli` writes it anew.

use super::Cli;
use crate::settings::ENVIRONMENT;
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use std::fmt::Write as _;

#[test]
fn the_command_line_holds_together() {
    Cli::command().debug_assert();
}

/// What comes before the commands.
const INTRODUCTION: &str = "\
# Command line

What is data goes to standard output, everything else to standard error: an error as `error: …`, and what to do next as
`hint: …`. Colour is for terminals, and never without words that say the same; `NO_COLOR` and `TERM=dumb` switch it off. Text is as wide
as the terminal, or as `COLUMNS` says.

A TED is named by its document's path, its name, or its provisioned product's name or id, wherever that makes sense.

This file is generated: `UPDATE_GOLDEN=1 cargo test --lib cli`.

## Exit codes

| code | means |
|---|---|
| 0 | done, or in sync |
| 1 | an error: something could not be read, reached, or done |
| 2 | it differs, or waits for time |
| 3 | a person is needed |
| 64 | the command line, or the configuration of `run`, is wrong |

Over several TEDs 1 counts before 3, 3 before 2, 2 before 0.
";

/// What a command's own help has no room for; a command without an entry fails the test.
const MORE: &[(&str, &str)] = &[
    (
        "run",
        "\
Flags win over the environment, that over the settings file, that over defaults; of several modes the strictest counts. The file is
described in [`config/controller.yaml`](../../config/controller.yaml). AWS credentials come from the standard chain.

The first `SIGTERM` or `SIGINT` drains: passes under way end (for at most 20 seconds), `/readyz` answers 503, everything else goes on;
then it ends with 0. The second one ends it at once, with 1.

With `--once`: 0 when every TED is settled, 2 when one waits or differs and nobody has to do anything, 3 when one needs a person, 1 when
one could not be looked at or a source has a problem. 64 for a wrong command line or settings: starting again does not help.

The first line that it logs is `listening on http://…`.",
    ),
    (
        "status",
        "\
`-o json` and `-o yaml` are the API's answer as it is: `{\"items\": […]}`, or the one TED. `--watch` goes on until it is interrupted, and
tries again when the daemon goes away; into a pipe it adds a row whenever a row changes, with `-o json` one document a line. 1 when
there is no daemon, or no such TED.",
    ),
    (
        "reconcile",
        "\
Without `--wait`: 0 when the daemon has taken it up. With it: 0 settled, 2 waiting or differing, 3 a person is needed, 1 when it could
not be looked at. When the time of `--timeout` is up: 2 if it was looked at and goes on, else 1.",
    ),
    (
        "freeze",
        "\
It outlives a restart of the daemon when that has a state directory. What is begun is finished, and events are given back, frozen or not.
`off` ends with 1 when the daemon's settings still say `frozen`.",
    ),
    (
        "plan",
        "\
0 whenever it could look. With `--detailed-exitcode` 2 when there is drift, a finding or a step; 1 when something could not be looked at.",
    ),
    (
        "diagnose",
        "\
The last failed change, whoever made it: the first real failure in the deepest nested stack, and not its echoes; what it means, what to
do, and what could not be seen. 0 when it could look, also when nothing has failed; 1 when it could not.",
    ),
    (
        "support-bundle",
        "\
The archive holds what Turbot's guides ask for in a ticket, and `report.html`, which opens without a network. What could not be read is
named in it, and on standard error. `plan --from-bundle FILE` assesses it anew, offline. What is taken out, and how, stands in
[troubleshooting.md](../troubleshooting.md). 0 when the archive was written, 1 when nothing could be read.",
    ),
    (
        "resume-events",
        "\
For when the controller is gone. It shows what is held, by whom and since when, asks at a terminal, and gives back in the same way as the
daemon does: marks are overwritten first, then triggers are enabled, and what somebody disabled by hand stays off. It asks the same
decision, so while a change runs, while the stack is in between, and while a hold may still lead to an update (half an hour from its
making) nothing is given back. A daemon that runs needs none of this. 0 when nothing is paused any more; 2 when time has to pass first; 3
when a person has to do something first, or said no; 1 when AWS refused something or there was nobody to ask.",
    ),
    ("adopt", "The documents only look (`mode: observe`), and have no plan. 1 when one could not be written."),
    (
        "doctor",
        "\
With the daemon's settings it reads every source (is the server reachable, does it let us in, are branch and path there, are the documents
right) and the secrets of receivers, who are told nothing. 1 when something is missing.",
    ),
    ("explain", "All codes are in [codes.md](codes.md). 1 when there is no such code."),
    ("completions", "`ted-controller completions bash > /etc/bash_completion.d/ted-controller`, for example."),
    ("iam-policy", "The policies of [`deploy/iam`](../../deploy/iam) are made with it."),
    ("validate", "It asks nobody. 0 when everything is valid, 1 when something is not."),
    ("schema", "For editors: [`config/ted-controller.schema.json`](../../config/ted-controller.schema.json)."),
    (
        "demo",
        "\
It needs no AWS account and no network, and leaves nothing behind. On a terminal it draws the nested stacks while they are updated; into a
pipe, or with `NO_COLOR`, it prints plain lines. What it tells it has checked, past the daemon, in the simulated AWS itself.

0 when everything came that had to come; 1 when something did not, and then the daemon's log is kept. With `--scenario` 2 when a TED still
waits, 3 when one needs a person. 130 when it was interrupted. Only in builds with the feature `demo`, which is on by default.",
    ),
    (
        "sim",
        "\
It prints the `export` lines that make any AWS client use it. More in
[sim/README.md](../../sim/README.md). Only in builds with the feature `demo`, which is on by default.",
    ),
];

/// Variables that are not the settings'.
const FURTHER_ENVIRONMENT: &[(&str, &str)] = &[
    (
        "TED_CONTROLLER_SERVER",
        "the daemon that `status`, `reconcile` and `freeze` talk to, as `--server`",
    ),
    ("TED_CONTROLLER_TOKEN_FILE", "the file of that daemon's token, as `--token-file`"),
    ("NO_COLOR", "not empty: no colour"),
    ("COLUMNS", "how wide text gets, 60 to 200"),
    ("AWS_*", "credentials, profile, region and endpoints, as for every AWS client"),
    ("HTTPS_PROXY, NO_PROXY", "how AWS is reached"),
];

#[cfg(feature = "demo")]
#[test]
fn the_reference_is_current() {
    crate::golden::check("docs/reference/cli.md", &reference());
}

fn reference() -> String {
    let mut out = INTRODUCTION.to_owned();
    out.push_str(
        "\n## Environment\n\nAn empty variable counts as none.\n\n| variable | says |\n|---|---|\n",
    );
    for (name, says) in ENVIRONMENT.iter().chain(FURTHER_ENVIRONMENT) {
        let _ = writeln!(out, "| `{name}` | {says} |");
    }
    out.push_str("\n## Commands\n");
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        section(&mut out, command);
    }
    out
}

fn section(out: &mut String, command: &Command) {
    let name = command.get_name();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "\n### `ted-controller {name}`\n\n{about}.\n");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        .collect();
    if !arguments.is_empty() {
        out.push_str("| argument | says |\n|---|---|\n");
        for argument in arguments {
            let _ = writeln!(out, "| {} | {} |", shown(argument), said(argument));
        }
        out.push('\n');
    }
    let more = MORE.iter().find(|(of, _)| *of == name).map(|(_, more)| *more);
    let more = more.unwrap_or_else(|| {
        panic!("say in src/cli/tests.rs what the exit codes of `{name}` mean, and what else its help has no room for")
    });
    let _ = writeln!(out, "{more}");
}

/// `-o, --output <OUTPUT>`, as code.
fn shown(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    if argument.is_positional() {
        let most = argument.get_num_args().map_or(1, |number| number.max_values());
        let name = format!("{}{}", names.join(" "), if most > 1 { "…" } else { "" });
        return code(&if argument.is_required_set() { name } else { format!("[{name}]") });
    }
    let values: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    let values = values.join(" ");
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let long = argument.get_long().unwrap_or_default();
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    code(format!("{short}--{long} {}", if takes { values } else { String::new() }).trim())
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn said(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    for alias in argument.get_visible_aliases().unwrap_or_default() {
        let _ = write!(text, "; also `--{alias}`");
    }
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values = if takes { argument.get_possible_values() } else { Vec::new() };
    if !values.is_empty() {
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(text, ": {}", values.join(", "));
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    text.replace('|', "\\|")
}
