"""The AWS CLI, as people type it: every operation once, and the commands, queries and waits that runbooks use.

The CLI is another client with another copy of botocore, so what it reads out of an answer has to be what boto3 reads.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Iterator

import botocore
import pytest

from calls import Installation, example_calls
from conftest import Record
from simulator import ACCOUNT, REGION, Simulator

CLI = os.environ.get("TED_CONTROLLER_AWS_CLI") or shutil.which("aws") or ""
LIMIT = 120.0


def environment(sim: Simulator, **more: str) -> dict[str, str]:
    """Only what a shell with `export`s as `ted-controller sim` prints them would have."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "AWS_ENDPOINT_URL": sim.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    } | more


def aws(sim: Simulator, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command. The endpoint is also given as an option: version 1 of the CLI overrides the environment's for `rds` and `sqs`."""
    assert CLI, "no AWS CLI: run the suite by tests/run"
    return subprocess.run([CLI, "--endpoint-url", sim.url, *arguments], capture_output=True, text=True, timeout=LIMIT, env=environment(sim, **more), check=False)


def read(sim: Simulator, *arguments: str) -> Any:
    """What a command prints as JSON."""
    done = aws(sim, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def refusal(sim: Simulator, *arguments: str, code: int = 255) -> str:
    """What a command that must fail prints as its error."""
    done = aws(sim, *arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def plain(value: Any) -> Any:
    """An answer without what the two clients write differently: the CLI prints times as text, so only their presence is compared."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return "<time>" if isinstance(value, datetime) else value


def with_times(shown: Any, wanted: Any) -> Any:
    """The CLI's answer with its times replaced where boto3's has them."""
    if wanted == "<time>":
        return "<time>" if isinstance(shown, (str, float, int)) and not isinstance(shown, bool) else shown
    if isinstance(wanted, dict) and isinstance(shown, dict):
        return {key: with_times(item, wanted.get(key)) for key, item in shown.items()}
    if isinstance(wanted, list) and isinstance(shown, list) and len(shown) == len(wanted):
        return [with_times(item, of) for item, of in zip(shown, wanted, strict=True)]
    return shown


@pytest.fixture(scope="module")
def running(record: Record) -> Iterator[Simulator]:
    """A simulator for the wait, which goes on while the other tests run."""
    simulator = Simulator(keep_log=record.take)
    yield simulator
    simulator.stop()


def polls(sim: Simulator) -> int:
    """How often the CLI looked at the stack."""
    return len([entry for entry in sim.log() if entry["operation"] == "DescribeStacks" and entry["userAgent"].startswith("aws-cli/")])


@pytest.fixture(scope="module")
def waiting(running: Simulator) -> subprocess.Popen[str]:
    """A wait that has seen an update in progress; the update is complete when it looks again, thirty seconds later."""
    ted = Installation(running)
    ted.start()
    running.until(lambda: ted.stack()["StackStatus"] == "UPDATE_IN_PROGRESS", step=1)
    command = [CLI, "--endpoint-url", running.url, "cloudformation", "wait", "stack-update-complete", "--stack-name", ted.root]
    started = subprocess.Popen(command, env=environment(running), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LIMIT
    while polls(running) == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.advance(3600)
    return started


@pytest.mark.usefixtures("waiting")
def test_every_read_shows_what_boto_reads(sim: Simulator) -> None:
    """By `--cli-input-json` with the parameters that boto3 gets; two commands at a time."""
    examples = example_calls(sim)
    reads = [(row["service"], row["operation"]) for row in sim.operations() if row["effect"] == "read"]
    reads = [of for of in reads if of != ("cloudformation", "DescribeStackDriftDetectionStatus")]
    wanted = {(service, operation): plain(sim.call(service, operation, examples[service, operation])) for service, operation in reads}

    def command(of: tuple[str, str]) -> Any:
        name = botocore.xform_name(of[1], "-")
        # --no-paginate: one call, whose answer has the members of the operation's output and no merged pages.
        return read(sim, of[0], name, "--no-paginate", "--output", "json", "--cli-input-json", json.dumps(examples[of]))

    with ThreadPoolExecutor(2) as pool:
        for of, shown in zip(reads, pool.map(command, reads), strict=True):
            assert with_times(shown or {}, wanted[of]) == wanted[of], of


def test_every_write_works(sim: Simulator) -> None:
    ted = Installation(sim)
    examples = example_calls(sim)
    mapping = ted.mapping["EventSourceMappingArn"]
    run = lambda service, operation: read(sim, service, botocore.xform_name(operation, "-"), "--cli-input-json", json.dumps(examples[service, operation]))  # noqa: E731
    run("lambda", "TagResource")
    assert read(sim, "lambda", "list-tags", "--resource", mapping)["Tags"] == {"owner": "conformance"}
    run("lambda", "UntagResource")
    assert run("lambda", "UpdateEventSourceMapping")["State"] == "Disabling"
    assert run("elasticache", "ModifyReplicationGroup")["ReplicationGroup"]["ReplicationGroupId"] == ted.cache
    assert run("rds", "ModifyDBInstance")["DBInstance"]["DBInstanceIdentifier"] == ted.database
    session = run("sts", "AssumeRole")["Credentials"]
    keys = {"AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"], "AWS_SESSION_TOKEN": session["SessionToken"]}
    assert "assumed-role/turbot-operator" in aws(sim, "sts", "get-caller-identity", **keys).stdout
    sim.advance(2 * 3600)
    detection = read(sim, "cloudformation", "detect-stack-drift", "--stack-name", ted.root)["StackDriftDetectionId"]
    state = read(sim, "cloudformation", "describe-stack-drift-detection-status", "--stack-drift-detection-id", detection)
    assert state["DetectionStatus"] == "DETECTION_IN_PROGRESS"
    sim.advance(3600)
    assert run("cloudformation", "UpdateStack")["StackId"] == ted.stack()["StackId"]
    sim.advance(3 * 3600)
    assert ted.stack()["StackStatus"] == "UPDATE_COMPLETE"
    assert run("servicecatalog", "UpdateProvisionedProduct")["RecordDetail"]["ProvisionedProductId"] == ted.id


def test_a_failed_rollback_is_continued_by_command(sim: Simulator) -> None:
    ted = Installation(sim)
    size = sim.call("rds", "DescribeDBInstances")["DBInstances"][0]["AllocatedStorage"]
    sim.act("grow-storage", to=size + 60)
    ted.finish(ted.start(BackupRetentionPeriod="9")["RecordId"])
    assert ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    below = sim.call("cloudformation", "DescribeStackResources", {"PhysicalResourceId": ted.database})["StackResources"][0]["StackName"]
    skip = f"{below}.HivePrimary" if below != ted.root else "HivePrimary"
    assert aws(sim, "cloudformation", "continue-update-rollback", "--stack-name", ted.root, "--resources-to-skip", skip).returncode == 0
    assert sim.until(lambda: ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")


def test_the_commands_of_a_runbook(sim: Simulator) -> None:
    """Queries, filters, text output and page sizes, which only the CLI has."""
    ted = Installation(sim)
    text = lambda *arguments: aws(sim, *arguments, "--output", "text").stdout.strip()  # noqa: E731
    assert text("servicecatalog", "search-provisioned-products", "--access-level-filter", "Key=Account,Value=self", "--filters", f"SearchQuery=name:{ted.name}", "--query", "ProvisionedProducts[0].Id") == ted.id
    assert text("cloudformation", "describe-stacks", "--stack-name", ted.root, "--query", "Stacks[0].StackStatus") == ted.stack()["StackStatus"]
    assert text("cloudformation", "describe-stacks", "--stack-name", ted.root, "--query", "Stacks[0].Outputs[?OutputKey=='ReleaseVersion'].OutputValue | [0]") == "1.44.0"
    assert text("rds", "describe-db-instances", "--db-instance-identifier", ted.database, "--query", "DBInstances[].DBInstanceStatus") == "available"
    assert text("elasticache", "describe-replication-groups", "--query", "ReplicationGroups[].Engine") == "redis"
    worker = "turbot_5_39_12_worker"
    assert text("lambda", "list-event-source-mappings", "--function-name", worker, "--query", "EventSourceMappings[0].State") == "Enabled"
    paged = read(sim, "lambda", "list-functions", "--page-size", "2")
    assert paged == read(sim, "lambda", "list-functions") and len(paged["Functions"]) > 2
    first = read(sim, "lambda", "list-functions", "--max-items", "1")
    assert len(first["Functions"]) == 1 and first["NextToken"]
    rest = read(sim, "lambda", "list-functions", "--starting-token", first["NextToken"])
    assert first["Functions"] + rest["Functions"] == paged["Functions"]
    assert "StackStatus" in aws(sim, "cloudformation", "describe-stacks", "--output", "table").stdout


def test_errors_read_as_people_know_them(sim: Simulator) -> None:
    assert "An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id nothing does not exist" in refusal(sim, "cloudformation", "describe-stacks", "--stack-name", "nothing", code=255)
    assert "(ResourceNotFoundException)" in refusal(sim, "servicecatalog", "describe-record", "--id", "rec-nothing")
    assert "(DBInstanceNotFound)" in refusal(sim, "rds", "describe-db-instances", "--db-instance-identifier", "nothing")
    assert "(ResourceNotFoundException)" in refusal(sim, "lambda", "get-event-source-mapping", "--uuid", "00000000-0000-4000-8000-000000000000")
    assert "(AWS.SimpleQueueService.NonExistentQueue)" in refusal(sim, "sqs", "get-queue-url", "--queue-name", "nothing")
    sim.fault("access-denied")
    assert "is not authorized to perform: servicecatalog:SearchProvisionedProducts" in refusal(sim, "servicecatalog", "search-provisioned-products")


def test_a_wait_ends_when_the_update_does(running: Simulator, waiting: subprocess.Popen[str]) -> None:
    """The CLI's own interval of thirty seconds cannot be changed: it has been asleep since the first test of this file."""
    ted = Installation(running)
    _, errors = waiting.communicate(timeout=LIMIT)
    assert waiting.returncode == 0, errors
    assert ted.stack()["StackStatus"] == "UPDATE_COMPLETE"
    assert polls(running) == 2, "it saw the update in progress, and then complete"
    for arguments in (
        ("rds", "wait", "db-instance-available", "--db-instance-identifier", ted.database),
        ("elasticache", "wait", "replication-group-available", "--replication-group-id", ted.cache),
        ("cloudformation", "wait", "stack-exists", "--stack-name", ted.root),
        ("lambda", "wait", "function-active-v2", "--function-name", "turbot_5_39_12_worker"),
    ):
        done = aws(running, *arguments)
        # function-active-v2 polls GetFunction, which nobody asked this simulator to have.
        assert done.returncode == 0 or "UnknownOperation" in done.stderr, (arguments, done.stderr)
