import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUILD, ROOT } from '../paths.ts'
import type { ModuleRival, ProgramRival } from '../rival.ts'

/** The built package, as it is published. */
const loadOurs = () =>
  import(pathToFileURL(join(ROOT, 'dist', 'index.js')).href) as Promise<typeof import('../../src/index.ts')>

/** Passes in one process before the one that counts as warm. */
const WARM_UP_PASSES = 4

function toArrow(name: string, title: string, warmUpPasses: number): ModuleRival {
  return {
    name,
    title,
    makes: 'arrow',
    lacks: '',
    isOurs: true,
    async load(file) {
      const { readExport } = await loadOurs()
      const { ArrowSums } = await import('../table-sums.ts')
      const decode = async () => {
        let records = 0
        for await (const batch of await readExport(file)) records += batch.numRows
        return records
      }
      for (let pass = 0; pass < warmUpPasses; pass++) await decode()
      return async () => ({
        records: await decode(),
        async columns() {
          const sums = new ArrowSums()
          for await (const batch of await readExport(file)) sums.add(batch)
          return sums.columns
        },
      })
    },
  }
}

export const oursArrow = toArrow('ours-arrow', 'alida-arrow to Arrow, first pass', 0)

export const oursArrowWarm = toArrow('ours-arrow-warm', 'alida-arrow to Arrow, fifth pass', WARM_UP_PASSES)

export const oursIpc: ModuleRival = {
  name: 'ours-ipc',
  title: 'alida-arrow to an Arrow IPC file',
  makes: 'ipc',
  lacks: '',
  isOurs: true,
  async load() {
    const { readExport, writeIpc } = await loadOurs()
    return async (file, out) => {
      const reader = await readExport(file)
      await writeIpc(reader, out)
      return {}
    }
  },
}

export const oursParquet: ModuleRival = {
  name: 'ours-parquet',
  title: 'alida-arrow to Parquet, library',
  makes: 'parquet',
  lacks: '',
  isOurs: true,
  async load() {
    const { readExport, writeParquet } = await loadOurs()
    return async (file, out) => {
      const reader = await readExport(file)
      await writeParquet(reader, out)
      return {}
    }
  },
}

export const oursCli: ProgramRival = {
  name: 'ours-cli',
  title: 'alida-arrow convert, command line from start to exit',
  makes: 'parquet',
  lacks: '',
  isOurs: true,
  isWhole: true,
  command: (file, out) => [
    process.execPath,
    '--import',
    pathToFileURL(join(BUILD, 'usage-at-exit.js')).href,
    join(ROOT, 'dist', 'bin.js'),
    'convert',
    file,
    '-o',
    out,
    '--json',
  ],
}
