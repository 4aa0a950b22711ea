import { join } from 'node:path'
import { installPythonRivals } from '../install.ts'
import { BENCH, PYTHON } from '../paths.ts'
import type { ProgramRival } from '../rival.ts'

function pythonRival(name: string, title: string, script: string, lacks: string): ProgramRival {
  return {
    name,
    title,
    makes: 'parquet',
    lacks,
    prepare: installPythonRivals,
    command: (file, out) => [PYTHON, join(BENCH, 'rivals', script), file, out],
  }
}

export const orjsonPyarrow = pythonRival(
  'orjson-pyarrow',
  'orjson and pyarrow (Python)',
  'orjson_pyarrow.py',
  'holds the whole document as Python objects; an unknown option is an error',
)

export const polars = pythonRival(
  'polars',
  'polars read_json, explode and group_by (Python)',
  'polars_json.py',
  'holds the whole document in memory; an unknown option becomes null',
)
