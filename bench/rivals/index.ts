/** All that is measured, in the order of the tables. */
import type { Rival } from '../rival.ts'
import { duckdbJson, duckdbNdjson } from './duckdb.ts'
import { jsonParse } from './json-parse.ts'
import { oursArrow, oursArrowWarm, oursCli, oursIpc, oursParquet } from './ours.ts'
import { orjsonPyarrow, polars } from './python.ts'
import { recordJsonParse, recordJsonParseParquet } from './record-json-parse.ts'
import { simdjson } from './simdjson.ts'
import { streamJson, streamJsonParquet, streamJsonTuned } from './stream-json.ts'

/** Every other figure is given as a multiple of this one's. */
export const YARDSTICK = jsonParse.name

export const RIVALS: readonly Rival[] = [
  jsonParse,
  recordJsonParse,
  streamJson,
  streamJsonTuned,
  simdjson,
  oursArrow,
  oursArrowWarm,
  oursIpc,
  duckdbJson,
  duckdbNdjson,
  streamJsonParquet,
  recordJsonParseParquet,
  orjsonPyarrow,
  polars,
  oursParquet,
  oursCli,
]

/** @throws Error when there is none of that name; the message lists them. */
export function rivalNamed(name: string): Rival {
  const rival = RIVALS.find((candidate) => candidate.name === name)
  if (rival === undefined) throw new Error(`no rival "${name}"; there are: ${RIVALS.map((r) => r.name).join(', ')}`)
  return rival
}
