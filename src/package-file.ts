/**
 * Compiled files that come with the code, by their path from the folder of the package's entry point. All are found from
 * here: the command is bundled into that folder, and sources that run as they are use what was built from them.
 */

import { readFileSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../dist/' : './', import.meta.url)

export function packageFile(path: string): URL {
  return new URL(path, FOLDER)
}

type Kernel = 'decode/kernel/records.wasm' | 'sinks/parquet/kernel/pages.wasm'

/** What a worker thread is started with: kernels that are optimised once serve all threads. */
interface KernelData {
  readonly alidaArrowKernels: ReadonlyMap<Kernel, WebAssembly.Module>
}

const modules = new Map<Kernel, WebAssembly.Module>(isMainThread ? [] : givenKernels(workerData))

/** Callers may have threads of their own, with other data. */
function givenKernels(data: Partial<KernelData> | null | undefined): KernelData['alidaArrowKernels'] {
  return data?.alidaArrowKernels instanceof Map ? data.alidaArrowKernels : new Map()
}

/** A compiled kernel. */
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

/** All kernels, for a thread to be started with. */
export function kernelData(): KernelData {
  const kernels: Kernel[] = ['decode/kernel/records.wasm', 'sinks/parquet/kernel/pages.wasm']
  return { alidaArrowKernels: new Map(kernels.map((kernel) => [kernel, kernelModule(kernel)])) }
}
