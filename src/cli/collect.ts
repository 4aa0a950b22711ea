/** Appends a value of a repeatable option to the earlier ones. */
export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value]
}
