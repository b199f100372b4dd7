//! The longer parts of the help: examples and exit status.

pub(super) const EXIT_STATUS: &str = "\
Exit status:
  0  done
  1  the answer is no. `match`: no match; `verify`: a fixture differs; `proof`: a service is not
     proved; `rules`: an exception has expired
  2  the rules, the facts, a pattern or an argument cannot be used, and nothing was decided
  3  some of the input could not be read: it is reported, and the rest was decided

Examples:
  replay run AWSLogs/
  replay reads --secret prod/billing/db AWSLogs/
  replay help proof";

pub(super) const RUN: &str = "\
Examples:
  A folder of CloudTrail files:
    replay run AWSLogs/
  The output of LookupEvents:
    aws cloudtrail lookup-events --output json | replay run -
  Incidents only, for a script:
    replay run --format json AWSLogs/ | jq 'select(.kind == \"incident\")'
  A rotation, with what is known about the services:
    replay run --facts services.json rotation.json
  The incidents of a month in one account, of severity high or critical:
    replay run --since 2026-10-01 --until 2026-11-01 --account 111122223333 --severity high AWSLogs/
  Everything that one person did to the secrets of one application:
    replay run --principal zoe@example.com --secret 'prod/billing/*' AWSLogs/

Totals by rule, principal and account stand before the incidents.

Filters change no decision: everything in the input is decided, and then the report shows the
incidents of which an event fits, whole, and the decisions about events that fit. The summary counts
everything. The report and its coverage line name the filter, also as an instant where a time is
given as `90d`, and the values that nothing in the input has.

Exit status:
  0  done
  2  the rules, the facts, a path or a filter cannot be used, and nothing was decided
  3  some of the input could not be read, or it has no event: it is reported, and the rest was
     decided";

pub(super) const PROOF: &str = "\
Examples:
  From the ledger:
    aws dynamodb scan --table-name LEDGER --output json \\
        --filter-expression 'begins_with(pk, :proof)' \\
        --expression-attribute-values '{\":proof\":{\"S\":\"proof#\"}}' | replay proof -
  From an export of the ledger to S3:
    replay proof AWSDynamoDB/01234567890123-01234567/data/
  From events alone, in CloudTrail files and an EventBridge archive:
    replay proof --facts services.json AWSLogs/ archive.jsonl
  The chains that are not complete, for a script:
    replay proof --format json AWSLogs/ | jq 'select(.kind == \"proof\" and .state != \"complete\")'
  The rotations of one application in the last 90 days:
    replay proof --since 90d --secret 'prod/billing/*' AWSLogs/ archive.jsonl

Every chain is judged by the whole input. Then a filter shows those that fit: the time is that of the
change, account and Region are those of the secret, and a principal is an execution role of the
service, which the ledger does not hold. Totals and exit status are about what is shown.

States of a chain:
  complete  every link holds
  late      the service got the new value, but later than a change may go unanswered (`answer`,
            15 minutes); the row says by how much
  read      a new task read the secret, and nothing in the input shows how its rollout ended
  open      a link is missing and may still come
  broken    a link is missing and will not come by itself

Exit status:
  0  every chain that is shown is complete and in time, or there is no change of a secret
  1  a chain is not complete or was late, a rotation failed and no new value came since, or the
     services that use a changed secret are unknown
  2  the facts, a path or a filter cannot be used, or the input has both items and events
  3  some of the input could not be read, or it has neither an event nor a file of the ledger: more
     may be missing than the report says";

pub(super) const READS: &str = "\
Examples:
  The reads of the last 90 days, from CloudTrail files:
    replay reads --secret prod/billing/db --since 90d AWSLogs/
  The reads of October by one role, in one account:
    replay reads --secret prod/billing/db --since 2026-10-01 --until 2026-11-01 \\
        --principal role/app --account 111122223333 AWSLogs/
  The reads of all secrets of one application, each with its event and its file:
    replay reads --secret 'prod/billing/*' --each AWSLogs/
  With launches of tasks shown as such:
    replay reads --secret prod/billing/db --facts services.json AWSLogs/
  Access keys and addresses, for a script:
    replay reads --secret ARN --format json AWSLogs/ |
      jq -r 'select(.kind == \"reader\") | [.principal, .access_keys[], .addresses[]] | @tsv'

Each row has the calls of one caller from one place. A batch by name counts as one call, together
with the record of its read of the secret. A batch by filter does not record which secrets it read:
it is listed apart, unless the record of its read of the secret is in the input. Copies of an event
count once. With wildcards, a call counts for each secret that it read, and each secret has a table.

Callers:
  human     a person
  unknown   a caller that the record does not describe
  workload  a program
  task      a session that is named like an ECS task
  launch    such a session of a role that starts tasks with this secret, as --facts shows
  service   an AWS service

Exit status:
  0  done, whether the secret was read or not
  2  the secret, a filter, a path or the facts cannot be used, or the window is empty
  3  some of the input could not be read, or it has no event: reads may be missing";

pub(super) const BASELINE: &str = "\
Examples:
  Fill the ledger before FIRST_READS=on. Items that DynamoDB does not process are printed:
    replay baseline --table LEDGER AWSLogs/ |
      while read -r items; do aws dynamodb batch-write-item --request-items \"$items\"; done
  Learn from one month, and decide about the next:
    replay baseline --format facts AWSLogs/2026/03/ > facts.json
    replay run --facts facts.json AWSLogs/2026/04/

Exit status:
  0  done
  2  the rules or a path cannot be used, or items are asked for without --table
  3  some of the input could not be read, or it has no event: it is reported, and the baseline has the rest";

pub(super) const EXPLAIN: &str = "\
Examples:
  replay explain event.json
  replay explain --rules rules --facts facts.json first.json second.json

For each event there is a line for each rule: it matches, or the path that fails first. Then there is
a line for each response about all events together: it fires, with its severity, or it did not fire,
because its rules match no event, its `where`, `unless` or an exception excludes the events, the
count is too low, a setting is off, or nothing was to be done. Where `where` fails on an enriched
field, the line names the member of the facts that decides it.

The explanation names paths of the event and never its values.

Exit status:
  0  done, whether a rule matches or not
  2  the rules or the file cannot be used
  3  some of the file could not be read: it is reported, and the rest was explained";

pub(super) const MATCH: &str = "\
Examples:
  replay match --pattern rules/access/secret-read.json --event event.json
  replay match --pattern pattern.json --event cloudtrail-record.json
  replay match --vectors handlers/eventbridge-pattern/vectors/patterns.jsonl

Exit status of a pair:
  0  the pattern matches
  1  it does not match
  2  the pattern or the event cannot be used

Exit status of --vectors:
  0  every line has a result
  2  the file cannot be read
  3  some lines could not be read: they are reported";

pub(super) const FACTS: &str = "\
Examples:
  replay facts AWSLogs/ > facts.json
  replay run --facts facts.json AWSLogs/

The file is a guess: the Regions that were seen are home, secrets and accounts that are named like
production are production, and callers that look like people or automation are so. JSON has no
comments, so standard error says what each value means and where it comes from, and lists the accounts
and the callers. Edit the file before you use it: what you declare as automation alarms less.

Exit status:
  0  done
  2  a path cannot be used
  3  some of the input could not be read, or it has no event: it is reported, and the rest was used";

pub(super) const PAGE: &str = "\
Examples:
  The page of an edited response, about an invented incident:
    replay page --rules rules/ --response bulk-read
  Its page about these events:
    replay page --rules rules/ --response bulk-read --event events.json
  Every page:
    replay rules --json | jq -r .response | xargs -n1 replay page --response

The first line is the subject, the rest is the text. Of several pages about the events, the first is
shown. If the response does not fire for the events, a
message says so, and the page is shown as if it did.

Exit status:
  0  done
  2  the rules, the facts or the response cannot be used, or no event is one of its rules
  3  some of the input could not be read: it is reported, and the rest was used";

pub(super) const RULES: &str = "\
Examples:
  The responses and their exceptions:
    replay rules
  Fail today if an exception has expired, for a scheduled job:
    replay rules --on \"$(date -u +%F)\"
  Your own rules:
    replay rules --rules rules/

A pattern that is valid and can never match is warned about on standard error, with the name that is
meant: an unknown field of the event or of a CloudTrail record, another case, a service event that is
asked for as an API call, no `source`. Every command that takes --rules warns so.

Exit status:
  0  done
  1  an exception has expired: a message names it, its response, its owner and its last day
  2  the rules cannot be used";

pub(super) const VERIFY: &str = "\
Examples:
  replay verify fixtures
  replay verify --update fixtures/access

Exit status:
  0  every fixture is as expected
  1  a fixture differs: a message names the first place
  2  the rules, the facts or a fixture cannot be used, or there is no fixture";

pub(super) const COMPLETIONS: &str = "\
Examples:
  replay completions bash > ~/.local/share/bash-completion/completions/replay
  replay completions zsh > ~/.zfunc/_replay";
