/**
 * Finds the compiled files of the package by their path from the folder of its entry point, `dist/`. The command is
 * bundled into that folder, so that it is this module's own folder; sources that are run directly use what was built in
 * `dist/`.
 */

import { readFileSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../dist/' : './', import.meta.url)

export function packageFile(path: string): URL {
  return new URL(path, FOLDER)
}

type Kernel = 'decode/kernel/records.wasm' | 'sinks/parquet/kernel/pages.wasm'

/** The `workerData` of a worker thread: kernels are compiled once for all threads. */
interface KernelData {
  readonly alidaArrowKernels: ReadonlyMap<Kernel, WebAssembly.Module>
}

const modules = new Map<Kernel, WebAssembly.Module>(isMainThread ? [] : givenKernels(workerData))

/** Returns the kernels in a thread's `workerData`, if any: a host program's own threads have other data. */
function givenKernels(data: Partial<KernelData> | null | undefined): KernelData['alidaArrowKernels'] {
  return data?.alidaArrowKernels instanceof Map ? data.alidaArrowKernels : new Map()
}

/** Returns a compiled kernel; compiles it at first use. */
export function kernelModule(kernel: Kernel): WebAssembly.Module {
  const module = modules.get(kernel) ?? new WebAssembly.Module(packageBytes(kernel))
  modules.set(kernel, module)
  return module
}

function packageBytes(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(packageFile(path)))
  } catch (cause) {
    const advice = 'a bundler must leave alida-arrow outside of its bundle ("external")'
    throw new Error(`expected ${path} beside the code of alida-arrow, found none; ${advice}`, { cause })
  }
}

/** Returns all kernels, as the `workerData` of a new thread. */
export function kernelData(): KernelData {
  const kernels: Kernel[] = ['decode/kernel/records.wasm', 'sinks/parquet/kernel/pages.wasm']
  return { alidaArrowKernels: new Map(kernels.map((kernel) => [kernel, kernelModule(kernel)])) }
}
