// Empties dist before a build: a file whose source was moved or removed would be tested and packed otherwise. Compiled
// kernels stay: they are recompiled only if their sources are newer.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))

const KERNEL = /kernel[\\/]\w+\.wasm$/

for (const entry of entriesOf(DIST)) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !KERNEL.test(path)) rmSync(path)
}
// The deepest first: each is empty once what was in it is gone.
for (const folder of foldersOf(DIST).reverse())
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true })

function entriesOf(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function foldersOf(folder) {
  const folders = entriesOf(folder).filter((entry) => entry.isDirectory())
  return folders.map(({ parentPath, name }) => join(parentPath, name)).sort()
}
