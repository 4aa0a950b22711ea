// Compiles each kernel (AssemblyScript → WebAssembly with SIMD) to a `.wasm` file beside its `assembly` folder in src,
// for tests, and copies it to dist, for the package. Nothing is compiled that is newer than its sources.
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const KERNELS = [
  { sources: 'src/decode/kernel/assembly', entry: 'records.ts', output: 'decode/kernel/records.wasm' },
  { sources: 'src/sinks/parquet/kernel/assembly', entry: 'pages.ts', output: 'sinks/parquet/kernel/pages.wasm' },
]

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

for (const { sources, entry, output } of KERNELS) {
  if (!existsSync(join(sources, entry))) continue
  const inSource = join('src', output)
  if (!isNewer(inSource, sources)) await compile(join(sources, entry), inSource)
  const inPackage = join('dist', output)
  mkdirSync(dirname(inPackage), { recursive: true })
  copyFileSync(inSource, inPackage)
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
