// Compiles each kernel: AssemblyScript → WebAssembly with SIMD. Nothing is compiled that is newer than its sources.
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const KERNELS = [
  { sources: 'src/decode/kernel/assembly', entry: 'records.ts', output: 'dist/decode/kernel/records.wasm' },
  { sources: 'src/sinks/parquet/kernel/assembly', entry: 'pages.ts', output: 'dist/sinks/parquet/kernel/pages.wasm' },
]

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

for (const { sources, entry, output } of KERNELS) {
  if (isNewer(output, sources)) continue
  mkdirSync(dirname(output), { recursive: true })
  await compile(join(sources, entry), output)
}

function isNewer(file, sources) {
  if (!existsSync(file)) return false
  const newest = Math.max(...readdirSync(sources).map((name) => statSync(join(sources, name)).mtimeMs))
  return statSync(file).mtimeMs > newest
}

// No run-time, no garbage collector: a kernel is functions over memory that its caller lays out.
async function compile(entry, output) {
  const { error, stderr } = await asc.main([
    entry,
    ...['--outFile', output],
    ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert', '-O3', '--converge'],
    ...['--enable', 'simd', '--enable', 'bulk-memory'],
  ])
  if (error === null) return
  process.stderr.write(stderr.toString())
  process.exit(1)
}
