/** Appends a value of an option that may be repeated to those given before it. */
export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value]
}
