"""polars: read_json with a schema, answers in long form, then one aggregate a question."""

import sys

import polars as pl

from measure import Clock

TIME = pl.Datetime("us", "UTC")
OPTION = pl.Struct({"id": pl.String, "name": pl.String})
FIELD = pl.Struct(
    {"id": pl.String, "name": pl.String, "type": pl.Struct({"dataType": pl.String, "values": pl.List(OPTION)})}
)
ANSWER = pl.Struct({"id": pl.String, "values": pl.List(pl.String)})
RECORD = pl.Struct({"ownerId": pl.String, "lastUpdateDate": pl.String, "fields": pl.List(ANSWER)})
SCHEMA = {"definition": pl.Struct({"fields": pl.List(FIELD)}), "records": pl.List(RECORD)}


def time(column: pl.Expr) -> pl.Expr:
    return column.str.to_datetime(time_unit="us", time_zone="UTC")


def typed(field: dict, values: pl.Expr) -> pl.Expr:
    kind = field["type"]["dataType"]
    labels = {option["id"]: option["name"] for option in field["type"]["values"] or []}
    if kind == "enum":
        return values.list.first().replace_strict(labels, default=None)
    if kind == "set":
        return values.list.eval(pl.element().replace_strict(labels, default=None))
    if kind == "double":
        return values.list.first().cast(pl.Float64)
    if kind == "datetime":
        return time(values.list.first())
    return values.list.first()


def main(source: str, out: str) -> None:
    clock = Clock()
    document = pl.read_json(source, schema=SCHEMA)
    fields = document["definition"][0]["fields"]
    records = document["records"].explode(empty_as_null=False).struct.unnest().with_row_index("row")
    answers = (
        records.lazy()
        .select("row", "fields")
        .explode("fields", empty_as_null=False)
        .unnest("fields")
        .group_by("row")
        .agg(pl.col("values").filter(pl.col("id") == f["id"]).first().alias(f["name"]) for f in fields)
    )
    wide = (
        records.lazy()
        .select("row", "ownerId", time(pl.col("lastUpdateDate")))
        .join(answers, on="row", how="left", maintain_order="left")
        .select("ownerId", "lastUpdateDate", *[typed(f, pl.col(f["name"])).alias(f["name"]) for f in fields])
        .collect()
    )
    wide.write_parquet(out, compression="snappy")
    clock.report(wide.height)


main(sys.argv[1], sys.argv[2])
