"""The judge on trial: for each kind of fault, an answer that has it must be a violation, and a right answer none.

A checker that finds nothing would make every other test here worthless, so this table is run with them.
"""

from __future__ import annotations

import botocore.session
import pytest

import wire

MODELS = botocore.session.get_session()
REQUEST_ID = "0a1b2c3d-0000-4000-8000-000000000000"
HEADERS = {"x-amzn-requestid": REQUEST_ID, "date": "Sat, 01 Aug 2026 10:00:00 GMT"}
JSON = HEADERS | {"content-type": "application/x-amz-json-1.1"}
REST = HEADERS | {"content-type": "application/json"}
XML = HEADERS | {"content-type": "text/xml"}

RECORD = (
    '{"RecordDetail":{"RecordId":"rec-abc","ProvisionedProductName":"ted-one","Status":"CREATED","CreatedTime":1.7859E9,'
    '"UpdatedTime":1.7859E9,"ProvisionedProductType":"CFN_STACK","RecordType":"UPDATE_PROVISIONED_PRODUCT",'
    '"ProvisionedProductId":"pp-abc","ProductId":"prod-abc","ProvisioningArtifactId":"pa-new","PathId":"lp-abc",'
    '"RecordErrors":[],"RecordTags":[]}}'
)
STACKS = (
    '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>'
    "<StackName>SC-1-pp-abc</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-08-01T10:00:00.000Z</CreationTime>"
    "<Parameters><member><ParameterKey>K</ParameterKey><ParameterValue>****</ParameterValue></member></Parameters>"
    f"</member></Stacks></DescribeStacksResult><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></DescribeStacksResponse>"
)
MAPPING = '{"UUID":"0a1b2c3d-0000-4000-8000-000000000000","State":"Enabled","LastModified":1.7859E9}'
XML_ERROR = (
    '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code>'
    f"<Message>no</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
)


def problems(service: str, operation: str, status: int, headers: dict[str, str], body: str) -> list[str]:
    model = MODELS.get_service_model(service).operation_model(operation)
    return wire.check_answer(model, status, headers, body.encode())[0]


RIGHT = [
    ("Service Catalog as recorded", "servicecatalog", "UpdateProvisionedProduct", 200, JSON, RECORD),
    ("CloudFormation as recorded", "cloudformation", "DescribeStacks", 200, XML, STACKS),
    ("Lambda", "lambda", "GetEventSourceMapping", 200, REST, MAPPING),
    ("no body with 204", "lambda", "TagResource", 204, HEADERS, ""),
    ("a JSON error", "servicecatalog", "DescribeRecord", 400, JSON, '{"__type":"ResourceNotFoundException","Message":"gone"}'),
    ("a common JSON error", "servicecatalog", "DescribeRecord", 400, JSON, '{"__type":"ThrottlingException","Message":"Rate exceeded"}'),
    ("an XML error", "cloudformation", "DescribeStacks", 400, XML, XML_ERROR),
    (
        "a REST error",
        "lambda",
        "GetEventSourceMapping",
        404,
        REST | {"x-amzn-errortype": "ResourceNotFoundException:http://internal"},
        '{"Type":"User","Message":"gone"}',
    ),
]


@pytest.mark.parametrize(("why", "service", "operation", "status", "headers", "body"), RIGHT, ids=[row[0] for row in RIGHT])
def test_a_right_answer_is_no_violation(why: str, service: str, operation: str, status: int, headers: dict[str, str], body: str) -> None:
    assert problems(service, operation, status, headers, body) == [], why


SC = ("servicecatalog", "UpdateProvisionedProduct", 200, JSON)
CF = ("cloudformation", "DescribeStacks", 200, XML)
LAMBDA = ("lambda", "GetEventSourceMapping", 200, REST)
WRONG = [
    ("an unknown JSON member", *SC, RECORD.replace('"PathId"', '"PathID"'), "not a member"),
    ("a JSON null", *SC, RECORD.replace('"lp-abc"', "null"), "not text"),
    ("a timestamp as text", *SC, RECORD.replace("1.7859E9", '"2026-08-01T10:00:00Z"', 1), "not seconds"),
    ("a timestamp in milliseconds", *SC, RECORD.replace("1.7859E9", "1.7859E12", 1), "not seconds"),
    ("a list that is a structure", *SC, RECORD.replace('"RecordErrors":[]', '"RecordErrors":{}'), "not a list"),
    ("a value no enumeration has", *SC, RECORD.replace("CREATED", "Created"), "not one of"),
    ("a value too long", *SC, RECORD.replace("rec-abc", "r" * 101), "longer"),
    ("a value against its pattern", *SC, RECORD.replace("rec-abc", "rec/abc"), "does not match"),
    ("a member twice", *SC, RECORD.replace('"RecordErrors"', '"PathId":"x","RecordErrors"'), "twice"),
    ("text where a number belongs", *LAMBDA, '{"UUID":"0a1b2c3d-0000-4000-8000-000000000000","BatchSize":"10"}', "not a whole number"),
    ("a body cut off", *SC, RECORD[:-5], "not JSON"),
    ("no request id", "servicecatalog", "UpdateProvisionedProduct", 200, {k: v for k, v in JSON.items() if k != "x-amzn-requestid"}, RECORD, "requestid"),
    ("no date", "servicecatalog", "UpdateProvisionedProduct", 200, {k: v for k, v in JSON.items() if k != "date"}, RECORD, "Date"),
    ("another content type", "servicecatalog", "UpdateProvisionedProduct", 200, REST, RECORD, "content type"),
    ("a required XML member missing", *CF, STACKS.replace("<StackName>SC-1-pp-abc</StackName>", ""), "required"),
    ("an unknown XML member", *CF, STACKS.replace("StackName>", "Name>"), "not a member"),
    ("another item name", *CF, STACKS.replace("<Stacks><member>", "<Stacks><Stack>").replace("</member></Stacks>", "</Stack></Stacks>"), "instead of <member>"),
    ("a timestamp without milliseconds", *CF, STACKS.replace("10:00:00.000Z", "10:00:00Z"), "ISO 8601"),
    ("an XML member twice", *CF, STACKS.replace("<CreationTime>", "<StackName>x</StackName><CreationTime>"), "twice"),
    ("no result wrapper", *CF, STACKS.replace("<DescribeStacksResult>", "").replace("</DescribeStacksResult>", ""), "root element holds"),
    ("another root", *CF, STACKS.replace("DescribeStacksResponse", "Response"), "root element is"),
    ("another namespace", *CF, STACKS.replace("2010-05-15", "2010-05-16"), "namespace"),
    ("another request id", *CF, STACKS.replace(REQUEST_ID, "x"), "RequestId"),
    ("text in a boolean", *CF, STACKS.replace("<CreationTime>", "<DisableRollback>no</DisableRollback><CreationTime>"), "not a boolean"),
    ("an unknown error code", "servicecatalog", "DescribeRecord", 400, JSON, '{"__type":"Oops","Message":"gone"}', "neither modelled"),
    ("an error of another status", "servicecatalog", "DescribeRecord", 404, JSON, '{"__type":"ResourceNotFoundException","Message":"x"}', "instead of 400"),
    ("an error without message", "servicecatalog", "DescribeRecord", 400, JSON, '{"__type":"ResourceNotFoundException"}', "no message"),
    ("an XML error from the wrong side", "cloudformation", "DescribeStacks", 400, XML, XML_ERROR.replace("Sender", "Receiver"), "type"),
    ("a REST error without its header", "lambda", "GetEventSourceMapping", 404, REST, '{"Type":"User","Message":"gone"}', "x-amzn-errortype"),
    ("an RDS error by its shape's name", "rds", "DescribeDBInstances", 404, XML, XML_ERROR.replace("cloudformation", "rds").replace("2010-05-15", "2014-10-31").replace("ValidationError", "DBInstanceNotFoundFault"), "neither modelled"),
]


@pytest.mark.parametrize(("why", "service", "operation", "status", "headers", "body", "expected"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_answer_is_a_violation(why: str, service: str, operation: str, status: int, headers: dict[str, str], body: str, expected: str) -> None:
    found = problems(service, operation, status, headers, body)
    assert any(expected in problem for problem in found), f"{why}: found only {found}"


INPUTS = [
    ("a limit", {"PageSize": 101}, "above 100"),
    ("an enumeration", {"SortOrder": "UP"}, "not one of"),
    ("an unknown member", {"Page": "x"}, "not a member"),
    ("a required member", {"AccessLevelFilter": {"Key": "Everyone", "Value": "self"}}, "not one of"),
]


@pytest.mark.parametrize(("why", "params", "expected"), INPUTS, ids=[row[0] for row in INPUTS])
def test_accepted_input_outside_the_model_is_a_violation(why: str, params: dict[str, object], expected: str) -> None:
    model = MODELS.get_service_model("servicecatalog").operation_model("SearchProvisionedProducts")
    found = wire.check_input(model, params)
    assert any(expected in problem for problem in found), f"{why}: found only {found}"
