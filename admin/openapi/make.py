#!/usr/bin/env python3
"""Makes the OpenAPI 3.1 document from the YAML files of this folder, as C++ source or as JSON.

    make.py VERSION FILE.cc     a function that returns the document (used by the build)
    make.py VERSION             the document on standard output

What every operation has in common is added here; README.md of admin/ says what a file may leave out.
"""

import json
import pathlib
import re
import sys

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
METHODS = ("get", "put", "post", "delete", "options")
ROLES = ("public", "read", "operate", "admin")
PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


class Mistake(Exception):
    """Something in the YAML files that cannot become a document."""


def read_parts() -> dict:
    whole = {"paths": {}, "schemas": {}, "parameters": {}}
    for file in sorted(FOLDER.glob("*.yaml")):
        part = yaml.safe_load(file.read_text(encoding="utf-8"))
        for section, content in part.items():
            if section not in whole:
                whole[section] = content
                continue
            for name, value in content.items():
                if name in whole[section]:
                    raise Mistake(f"{file.name}: {name} is described a second time")
                whole[section][name] = value
    return whole


def expand(schema):
    """`$ref: Name` is a schema of ours, and every property is there unless it is named in `optional`."""
    if isinstance(schema, list):
        return [expand(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    expanded = {key: value if key in ("enum", "const", "examples", "default") else expand(value)
                for key, value in schema.items() if key not in ("optional", "properties")}
    if isinstance(schema.get("properties"), dict):
        expanded["properties"] = {name: expand(value) for name, value in schema["properties"].items()}
    if isinstance(expanded.get("$ref"), str) and "/" not in expanded["$ref"]:
        expanded["$ref"] = "#/components/schemas/" + expanded["$ref"]
    if isinstance(schema.get("properties"), dict) and "required" not in schema:
        expanded["required"] = [name for name in schema["properties"] if name not in schema.get("optional", [])]
    return expanded


def operation(path: str, method: str, given: dict) -> dict:
    made = {key: given[key] for key in ("operationId", "summary", "description", "tags") if key in given}
    role = given.get("role", "read" if method == "get" else "operate")
    if role not in ROLES:
        raise Mistake(f"{method} {path}: {role} is no role")
    made["x-role"] = role
    made["security"] = [] if role == "public" else [{"token": []}]
    made["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in re.findall(r"{(\w+)}", path)]
    for name, parameter in given.get("query", {}).items():
        made["parameters"].append({"name": name, "in": "query", **expand(parameter)})
    if "body" in given:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": expand(given["body"])}}}
    made["responses"] = responses(given, role)
    return made


def responses(given: dict, role: str) -> dict:
    made = {}
    status = str(given.get("status", 200))
    if "answer" in given:
        made[status] = {"description": "Done.", "content": {"application/json": {"schema": expand(given["answer"])}}}
    if "text" in given:
        made[status] = {"description": given["text"], "content": {"text/plain": {"schema": {"type": "string"}}}}
    made.update({code: expand(answer) for code, answer in given.get("responses", {}).items()})
    if role != "public":
        made["401"] = {"description": "No token, or one that is not known.", **PROBLEM}
        made["403"] = {"description": f"The token does not have the role {role}.", **PROBLEM}
    made["default"] = {"description": "A problem; `detail` says what to do.", **PROBLEM}
    return made


def make(version: str) -> dict:
    whole = read_parts()
    paths = {}
    for path, item in sorted(whole["paths"].items()):
        unknown = [method for method in item if method not in METHODS]
        if unknown:
            raise Mistake(f"{path}: {unknown[0]} is no method")
        paths[path] = {method: operation(path, method, given) for method, given in item.items()}
    parameters = {name: {"name": name, "in": "path", "required": True, **value}
                  for name, value in whole["parameters"].items()}
    return {
        "openapi": "3.1.0",
        "info": {**whole["info"], "version": version},
        "tags": whole["tags"],
        "paths": paths,
        "components": {
            "schemas": expand(whole["schemas"]),
            "parameters": parameters,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer",
                          "description": "Not needed while no tokens are configured, nor on the Unix socket."}}}}


def as_source(document: str) -> str:
    # Compilers need not take literals of any length; pieces are joined by the compiler.
    pieces = [document[start:start + 8000] for start in range(0, len(document), 8000)]
    literals = "\n".join(f'    R"json({piece})json"' for piece in pieces)
    return ('// Made by admin/openapi/make.py.\n#include "admin/openapi.h"\n\nnamespace bascule::admin {\n\n'
            f"std::string_view openapi_json() {{\n  return\n{literals};\n}}\n\n}}  // namespace bascule::admin\n")


def main() -> int:
    try:
        document = json.dumps(make(sys.argv[1]), ensure_ascii=False, separators=(",", ":"))
    except Mistake as mistake:
        print(f"admin/openapi: {mistake}", file=sys.stderr)
        return 1
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(as_source(document), encoding="utf-8")
    else:
        print(document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
