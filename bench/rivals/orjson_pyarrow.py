"""orjson for the whole document, then one pass over its records into pyarrow columns."""

import sys

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from measure import Clock

TIMESTAMP = pa.timestamp("us", "UTC")


def column(field: dict, cells: list) -> pa.Array:
    kind = field["type"]["dataType"]
    options = field["type"].get("values", [])
    index = {option["id"]: i for i, option in enumerate(options)}
    labels = pa.array([option["name"] for option in options], pa.string())
    if kind == "enum":
        indices = pa.array([None if v is None else index[v[0]] for v in cells], pa.int16())
        return pa.DictionaryArray.from_arrays(indices, labels)
    if kind == "set":
        offsets, indices = [], []
        for values in cells:
            offsets.append(None if values is None else len(indices))
            if values:
                indices.extend([index[v] for v in values])
        offsets.append(len(indices))
        items = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int16()), labels)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)
    scalars = [None if v is None else v[0] for v in cells]
    if kind == "double":
        return pa.array(scalars, pa.float64())
    if kind == "datetime":
        return pa.array(scalars, pa.string()).cast(TIMESTAMP)
    return pa.array(scalars, pa.string())


def main(source: str, out: str) -> None:
    clock = Clock()
    with open(source, "rb") as file:
        export = orjson.loads(file.read())
    records, fields = export["records"], export["definition"]["fields"]
    cells = {field["id"]: [None] * len(records) for field in fields}
    for row, record in enumerate(records):
        for answer in record["fields"]:
            cells[answer["id"]][row] = answer["values"]
    columns = {
        "ownerId": pa.array([r["ownerId"] for r in records], pa.string()),
        "lastUpdateDate": pa.array([r["lastUpdateDate"] for r in records], pa.string()).cast(TIMESTAMP),
    }
    for field in fields:
        columns[field["name"]] = column(field, cells[field["id"]])
    pq.write_table(pa.table(columns), out, compression="snappy")
    clock.report(len(records))


main(sys.argv[1], sys.argv[2])
