/** The kinds of export that the benchmark knows, as data. */

export interface Shape {
  readonly name: string
  /** Questions of each data type; they are dealt out evenly over the survey. */
  readonly questions: Readonly<Partial<Record<QuestionType, number>>>
  /** Options of each enum and set question, from .. to. */
  readonly options: readonly [number, number]
  /** Options chosen in a set, on average. */
  readonly chosen: number
  /** Share of questions answered and skipped in a record; the rest is not asked. */
  readonly answered: number
  readonly skipped: number
  /** Phrases of about 30 characters in a text, from .. to. */
  readonly phrases: readonly [number, number]
  readonly layout: 'compact' | 'pretty'
  /**
   * `odd`: `values` before `id`, and the members of a record the other way round. `more`: with members that the API does
   * not have.
   */
  readonly members: 'usual' | 'odd' | 'more'
  /** From this record on (0-based) all questions are asked; before it, only the first one. */
  readonly firstAnswer: number
  /** Records when no number is given. */
  readonly records: number
}

export type QuestionType = 'enum' | 'set' | 'double' | 'datetime' | 'string' | 'identifier'

/** A customer survey as they usually are: 40 questions, about 3.9 kB of JSON a record. */
const typical: Shape = {
  name: 'typical',
  questions: { enum: 20, set: 8, double: 4, datetime: 3, string: 3, identifier: 2 },
  options: [2, 12],
  chosen: 3.6,
  answered: 0.85,
  skipped: 0.03,
  phrases: [1, 4],
  layout: 'compact',
  members: 'usual',
  firstAnswer: 0,
  records: 100_000,
}

const wideQuestions = { enum: 1400, set: 200, double: 200, datetime: 50, string: 100, identifier: 50 }

/** The same questions asked four million times, in a table of so many columns. */
function ofColumns(columns: number): Shape {
  const tenths = columns / 10
  const questions = { enum: 5 * tenths, set: 2 * tenths, double: tenths, datetime: tenths, string: tenths }
  return { ...typical, name: `columns-${columns}`, questions, records: 4_000_000 / columns }
}

export const SHAPES = {
  typical,
  pretty: { ...typical, name: 'pretty', layout: 'pretty' },
  oddOrder: { ...typical, name: 'odd-order', members: 'odd' },
  moreMembers: { ...typical, name: 'more-members', members: 'more' },
  wide: { ...typical, name: 'wide', questions: wideQuestions, records: 2_000 },
  wide5000: {
    ...typical,
    name: 'wide-5000',
    questions: { enum: 834, set: 833, double: 833, datetime: 834, string: 833, identifier: 833 },
    records: 500,
  },
  longTexts: { ...typical, name: 'long-texts', questions: { enum: 2, string: 6 }, phrases: [20, 300], records: 10_000 },
  manySets: {
    ...typical,
    name: 'many-sets',
    questions: { enum: 4, set: 36 },
    options: [20, 40],
    chosen: 8,
    records: 30_000,
  },
  sparse: { ...typical, name: 'sparse', questions: wideQuestions, answered: 0.02, skipped: 0.002, records: 50_000 },
  columns10: ofColumns(10),
  columns40: ofColumns(40),
  columns400: ofColumns(400),
  columns5000: ofColumns(5000),
  /** Columns whose first answer comes after any sample that a reader may have taken. */
  firstAnswerLate: {
    ...typical,
    name: 'first-answer-late',
    questions: { double: 2, enum: 1, set: 1, datetime: 1, string: 1 },
    firstAnswer: 20_480,
    records: 30_000,
  },
  /** Many short records: enough rows for several row groups from a small file. */
  rowGroups: { ...typical, name: 'row-groups', questions: { double: 1, enum: 1 }, records: 300_000 },
} as const satisfies Record<string, Shape>

/** @throws Error when there is no shape of that name; the message lists them. */
export function shapeNamed(name: string): Shape {
  const shapes: readonly Shape[] = Object.values(SHAPES)
  const shape = shapes.find((candidate) => candidate.name === name)
  if (shape === undefined) throw new Error(`no shape "${name}"; there are: ${shapes.map((s) => s.name).join(', ')}`)
  return shape
}
