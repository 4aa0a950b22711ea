/** Converts texts to names that need no quotes in SQL: `Größe (cm)` → `grosse_cm`. */

/**
 * Returns lower-case ASCII letters, digits and single underscores, at most `maxLength` characters, cut between words if
 * possible. Empty when the text has no letter or digit.
 */
export type SnakeCase = (text: string, maxLength: number) => string

/** Loads its tables of half a megabyte: few outputs need them, and all others start faster without. */
export async function loadSnakeCase(): Promise<SnakeCase> {
  const { default: anyAscii } = await import('any-ascii')
  return (text, maxLength) => {
    const spaced = text.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    const words =
      anyAscii(spaced)
        .toLowerCase()
        .match(/[a-z0-9]+/g) ?? []
    const name = words.join('_')
    if (name.length <= maxLength) return name
    const end = name.lastIndexOf('_', maxLength)
    return name.slice(0, end > maxLength / 2 ? end : maxLength)
  }
}

/** Whether some SQL would read a name as a number or a keyword. */
export function needsPrefix(name: string): boolean {
  return !/^[a-z]/.test(name) || KEYWORDS.has(name)
}

/** Keywords reserved by DuckDB, PostgreSQL, Spark or BigQuery. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `all alter analyse analyze and any array as asc asymmetric at authorization between binary both by case cast check collate
   collation column concurrently constraint contains create cross cube current_catalog current_date current_role
   current_schema current_time current_timestamp current_user date day default deferrable define delete desc describe
   distinct do drop else end enum escape except exclude exists explain extract false fetch filter following for foreign
   freeze from full function glob grant group grouping groups having hour if ignore ilike in index initially inner insert
   integer intersect interval into is isnull join key lambda lateral leading left like limit localtime localtimestamp lookup
   map merge minute month natural new no not notnull null nulls of off offset old on only or order out outer over overlaps
   partition pivot pivot_longer pivot_wider placing position preceding primary procedure proto qualify range recursive
   references return returning revoke right rollup row rows schema second select semi session_user set show similar some
   struct summarize symmetric table tablesample text then time timestamp to trailing treat trigger true unbounded union
   unique unnest unpivot update use user using value values variadic verbose view when where window with within year`
    .trim()
    .split(/\s+/),
)
