#!/usr/bin/env python3
"""Checks the OpenAPI document, and with --url the answers of a running daemon against it.

Without arguments: whether what admin/openapi/make.py makes is OpenAPI 3.1. With --url: the served document too, and
every GET route is asked (with --room, --endpoint, --bridge in its path) and its answer compared with the schema, in
which then nothing may be that is not described.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = {"get", "put", "post", "delete", "options"}
PATH_ITEM_KEYS = METHODS | {"summary", "description", "parameters"}
TIMEOUT_SECONDS = 20


# ---- the document ----

def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: dict, reference: str):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def schemas_in(node):
    """Every schema that stands in a place for schemas."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "schema":
                yield value
            else:
                yield from schemas_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas_in(value)


def check_operation(document: dict, path: str, method: str, operation: dict):
    where = f"{method.upper()} {path}"
    for key in ("operationId", "summary", "tags", "responses", "security", "x-role"):
        if key not in operation:
            yield f"{where}: {key} is missing"
    parameters = [resolve(document, each["$ref"]) if "$ref" in each else each
                  for each in operation.get("parameters", [])]
    in_path = {each["name"] for each in parameters if each["in"] == "path"}
    if in_path != set(re.findall(r"{(\w+)}", path)):
        yield f"{where}: the parameters of the path are others than those described"
    for each in parameters:
        if each["in"] not in ("path", "query") or "schema" not in each or (each["in"] == "path" and not each.get("required")):
            yield f"{where}: parameter {each['name']} is not described as OpenAPI wants it"
    known_tags = {tag["name"] for tag in document["tags"]}
    for tag in operation.get("tags", []):
        if tag not in known_tags:
            yield f"{where}: tag {tag} is not described"
    for requirement in operation.get("security", []):
        for scheme in requirement:
            if scheme not in document["components"]["securitySchemes"]:
                yield f"{where}: security scheme {scheme} is not described"
    if not any(status.startswith("2") for status in operation.get("responses", {})):
        yield f"{where}: success is not described"
    for status, response in operation.get("responses", {}).items():
        if not re.fullmatch(r"[1-5]\d\d|default", status) or "description" not in response:
            yield f"{where}: answer {status} is not described as OpenAPI wants it"


def check_document(document: dict):
    if not re.fullmatch(r"3\.1\.\d+", document.get("openapi", "")):
        yield "it does not say that it is OpenAPI 3.1"
    for key in ("title", "version"):
        if key not in document.get("info", {}):
            yield f"info.{key} is missing"
    for reference in references(document):
        try:
            resolve(document, reference)
        except KeyError:
            yield f"{reference} leads nowhere"
            return
    identifiers = set()
    for path, item in document["paths"].items():
        if not path.startswith("/") or not set(item) <= PATH_ITEM_KEYS:
            yield f"{path}: is no path item"
        for method, operation in item.items():
            yield from check_operation(document, path, method, operation)
            if operation.get("operationId") in identifiers:
                yield f"operationId {operation['operationId']} is used twice"
            identifiers.add(operation.get("operationId"))
    for schema in [*document["components"]["schemas"].values(), *schemas_in(document["paths"])]:
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            yield f"a schema is none: {error.message}"
    used = set(references(document))
    for name in document["components"]["schemas"]:
        if f"#/components/schemas/{name}" not in used:
            yield f"schema {name} is not used"


# ---- answers ----

def closed(schema, inside_all_of=False):
    """The same schema, in which objects have no other members than those described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key == "allOf":
            made[key] = [closed(each, inside_all_of=True) for each in value]
        elif key in ("properties", "$defs"):
            made[key] = {name: closed(each) for name, each in value.items()}
        else:
            made[key] = closed(value)
    describes_members = "properties" in schema or "allOf" in schema
    if describes_members and not inside_all_of and "additionalProperties" not in schema:
        made["unevaluatedProperties"] = False
    return made


class Daemon:
    def __init__(self, url: str, document: dict, names: dict):
        self.url = url
        self.document = document
        self.names = names
        # What is part of something larger stays open there: the whole is closed.
        parts = {reference for operation in document["paths"].values() for reference in self.all_of_references(operation)}
        self.components = {name: closed(schema, inside_all_of=f"#/components/schemas/{name}" in parts)
                           for name, schema in document["components"]["schemas"].items()}

    @classmethod
    def all_of_references(cls, node):
        if isinstance(node, dict):
            for each in node.get("allOf", []):
                if "$ref" in each:
                    yield each["$ref"]
            for value in node.values():
                yield from cls.all_of_references(value)
        elif isinstance(node, list):
            for value in node:
                yield from cls.all_of_references(value)

    def fetch(self, target: str):
        try:
            answer = urllib.request.urlopen(self.url + target, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content_type = answer.headers.get_content_type()
            body = read_event(answer, "overview") if content_type == "text/event-stream" else answer.read()
            return answer.status, content_type, body

    def compare(self, target: str, operation: dict):
        status, content_type, body = self.fetch(target)
        described = operation["responses"].get(str(status), operation["responses"]["default"])
        if content_type not in described["content"]:
            yield f"GET {target}: {status} is {content_type}, described are {', '.join(described['content'])}"
            return
        if content_type == "text/event-stream":
            yield from self.validate(target, {"$ref": "#/components/schemas/Overview"}, body)
        elif content_type.endswith("json"):
            yield from self.validate(target, described["content"][content_type]["schema"], body)

    def validate(self, target: str, schema: dict, body: bytes):
        whole = {"components": {"schemas": self.components}, "allOf": [closed(schema)]}
        validator = jsonschema.Draft202012Validator(whole)
        for error in validator.iter_errors(json.loads(body)):
            yield f"GET {target}: {error.json_path}: {error.message[:300]}"

    def compare_all(self):
        asked = 0
        for path, item in self.document["paths"].items():
            if "get" not in item:
                continue
            target = re.sub(r"{(\w+)}", lambda found: urllib.parse.quote(self.names[found.group(1)], safe=""), path)
            for query in self.queries(path):
                yield from self.compare(target + query, item["get"])
                asked += 1
            if path.startswith("/v1/"):
                yield from self.compare(target + "?no-such-parameter=1", item["get"])
        if asked == 0:
            yield "nothing was asked"

    def queries(self, path: str):
        room = urllib.parse.quote(self.names["room"], safe="")
        bridge = urllib.parse.quote(self.names["bridge"], safe="")
        return {"/v1/decisions": [f"?room={room}", f"?room={room}&endpoint={self.names['endpoint']}", f"?bridge={bridge}"],
                "/v1/conferences": ["", "?limit=1", f"?bridge={bridge}", "?search=nobody"],
                "/v1/load": ["", "?minutes=1&step=10"]}.get(path, [""])


def read_event(answer, wanted: str) -> bytes:
    """The data of the first event with this name."""
    name, data = "", []
    for line in answer:
        text = line.decode().rstrip("\n")
        if text == "":
            if name == wanted:
                return "\n".join(data).encode()
            name, data = "", []
        elif text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            data.append(text.removeprefix("data: "))
    return b"the stream ended without the event"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    for name in ("room", "endpoint", "bridge"):
        parser.add_argument(f"--{name}", default="nobody")
    arguments = parser.parse_args()
    if arguments.url:
        with urllib.request.urlopen(arguments.url + "/openapi.json", timeout=TIMEOUT_SECONDS) as answer:
            document = json.load(answer)
    else:
        made = subprocess.run([sys.executable, ROOT / "admin/openapi/make.py", "0"], capture_output=True, check=False, text=True)
        if made.returncode != 0:
            print(made.stderr, file=sys.stderr)
            return 1
        document = json.loads(made.stdout)
    problems = list(check_document(document))
    if arguments.url and not problems:
        problems = list(Daemon(arguments.url, document, vars(arguments)).compare_all())
    print("\n".join(problems) if problems else f"openapi: {len(document['paths'])} paths, no violation")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
