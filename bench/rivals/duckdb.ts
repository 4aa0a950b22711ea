import { once } from 'node:events'
import { createWriteStream, existsSync, renameSync, writeFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { type FieldOfInterest, sliceExport } from '../record-slices.ts'
import type { ModuleRival, Run } from '../rival.ts'

const THREADS = '2'
const ANSWERS = 'STRUCT(id VARCHAR, "values" VARCHAR[])[]'
const DEFINITION =
  'STRUCT(fields STRUCT(id VARCHAR, name VARCHAR, type STRUCT(dataType VARCHAR, "values" STRUCT(id VARCHAR, name VARCHAR)[]))[])'

export const duckdbJson: ModuleRival = {
  name: 'duckdb-json',
  title: 'DuckDB read_json and SQL to the same wide table',
  makes: 'parquet',
  lacks: 'an unknown option becomes null; holds the whole document in memory',
  load: () =>
    loadDuckdb(async (sql, fieldsOf, file) => {
      const records = `STRUCT(ownerId VARCHAR, lastUpdateDate TIMESTAMPTZ, fields ${ANSWERS})[]`
      await sql(`CREATE TEMP TABLE document AS SELECT definition, records FROM read_json(${quote(file)},
        format = 'unstructured', maximum_object_size = 4000000000, columns = {definition: '${DEFINITION}', records: '${records}'})`)
      await sql(`CREATE TEMP TABLE response AS
        SELECT row_number() OVER () AS row, r.ownerId, r.lastUpdateDate, r.fields FROM (SELECT unnest(records) AS r FROM document)`)
      return fieldsOf('SELECT unnest(definition.fields) AS field FROM document')
    }),
}

export const duckdbNdjson: ModuleRival = {
  name: 'duckdb-ndjson',
  title: 'DuckDB read_ndjson, the records cut into lines beforehand',
  makes: 'parquet',
  lacks: 'the cutting is not counted; an unknown option becomes null',
  prepare: splitIntoLines,
  load: () =>
    loadDuckdb(async (sql, fieldsOf, file) => {
      await sql(`CREATE TEMP TABLE response AS SELECT row_number() OVER () AS row, * FROM read_ndjson(${quote(linesOf(file))},
        maximum_object_size = 100000000, columns = {ownerId: 'VARCHAR', lastUpdateDate: 'TIMESTAMPTZ', fields: '${ANSWERS}'})`)
      return fieldsOf(`SELECT unnest(definition.fields) AS field FROM read_json(${quote(`${linesOf(file)}.definition`)},
        maximum_object_size = 100000000, columns = {definition: '${DEFINITION}'})`)
    }),
}

type FillResponse = (
  sql: (text: string) => Promise<unknown>,
  fieldsOf: (query: string) => Promise<FieldOfInterest[]>,
  file: string,
) => Promise<FieldOfInterest[]>

async function loadDuckdb(fill: FillResponse): Promise<Run> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  return async (file, out) => {
    const instance = await DuckDBInstance.create(':memory:', { threads: THREADS })
    const connection = await instance.connect()
    const rowsOf = async (query: string) => (await connection.runAndReadAll(query)).getRowObjectsJson()
    const fieldsOf = async (query: string) =>
      (await rowsOf(query)).map((row) => row.field as unknown as FieldOfInterest)
    const fields = await fill((text) => connection.run(text), fieldsOf, file)
    await connection.run(wideTableSql(fields, out))
    return {}
  }
}

/** With 2,000 questions, one aggregate each takes tens of GB. */
const MOST_AGGREGATES = 200

/**
 * Two ways, both tried on the typical shape, as was a map in each record, which is slower: answers in long form and one
 * aggregate a question is the faster one from `read_json`, looking up by place the one that wide tables survive.
 */
function wideTableSql(fields: readonly FieldOfInterest[], out: string): string {
  const query = fields.length > MOST_AGGREGATES ? byPlace(fields) : byAggregate(fields)
  return `COPY (${query}) TO ${quote(out)} (FORMAT parquet, COMPRESSION snappy)`
}

function byAggregate(fields: readonly FieldOfInterest[]): string {
  const picked = fields.map((field, i) => `any_value(f."values") FILTER (f.id = ${quote(field.id)}) AS c${i}`)
  return `WITH answer AS (SELECT row, unnest(fields) AS f FROM response),
      wide AS (SELECT row, ${picked.join(', ')} FROM answer GROUP BY row)
    SELECT ownerId, lastUpdateDate, ${fields.map((field, i) => columnOf(field, `c${i}`)).join(', ')}
    FROM response LEFT JOIN wide USING (row) ORDER BY row`
}

function byPlace(fields: readonly FieldOfInterest[]): string {
  const columns = fields.map((field) => columnOf(field, `fields[list_position(ids, ${quote(field.id)})]."values"`))
  return `SELECT ownerId, lastUpdateDate, ${columns.join(', ')}
    FROM (SELECT *, list_transform(fields, lambda f: f.id) AS ids FROM response)`
}

function columnOf(field: FieldOfInterest, values: string): string {
  return `${expressionOf(field, values)} AS "${field.name.replaceAll('"', '""')}"`
}

function expressionOf(field: FieldOfInterest, values: string): string {
  const options = field.type.values?.map((option) => `${quote(option.id)}: ${quote(option.name)}`) ?? []
  const label = (id: string) => `MAP {${options.join(', ')}}[${id}]`
  switch (field.type.dataType) {
    case 'enum':
      return label(`${values}[1]`)
    case 'set':
      return `list_transform(${values}, lambda option: ${label('option')})`
    case 'double':
      return `CAST(${values}[1] AS DOUBLE)`
    case 'datetime':
      return `CAST(${values}[1] AS TIMESTAMPTZ)`
    default:
      return `${values}[1]`
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function linesOf(file: string): string {
  return `${file}.ndjson`
}

async function splitIntoLines(file: string): Promise<void> {
  const lines = linesOf(file)
  if (existsSync(lines)) return
  const sliced = sliceExport(file)
  writeFileSync(`${lines}.definition`, JSON.stringify({ definition: { fields: sliced.fields } }))
  const stream = createWriteStream(`${lines}.partial`)
  for (const slice of sliced.records()) {
    const line = `${slice.toString().replaceAll('\n', ' ')}\n`
    if (!stream.write(line)) await once(stream, 'drain')
  }
  sliced.close()
  stream.end()
  await finished(stream)
  renameSync(`${lines}.partial`, lines)
}
