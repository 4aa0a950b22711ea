/** The questions of a generated survey: each draws answers at random and knows what the cell must hash to. */
import type { Random } from '../fixtures/random.ts'
import { listHash, numberHash, textHash, timeHash } from './checksum.ts'
import type { Layout } from './layout.ts'
import type { QuestionType, Shape } from './shapes.ts'

/** An answer as JSON text and as the hash of its cell. */
export interface Answer {
  text: string
  hash: number
  values: number
}

export interface Question {
  readonly id: string
  readonly name: string
  readonly definition: object
  readonly skip: string
  /** Draws an answer; the object is used again by the next call. */
  draw(random: Random): Answer
}

const PHRASES = [
  'the staff was friendly and quick',
  'I would come again any time',
  'delivery took far too long',
  'prices have gone up since last year',
  'the app crashed while I was paying',
  'they told me "come back tomorrow"',
  'nothing else to add',
  'great value for what you pay',
  'line one\nline two',
  'das Café war gemütlich',
  'très bon accueil, merci',
  'とても良かったです',
  'love it 😍',
  'path C:\\menu\\today',
  'no complaints at all from my side',
  'parking is hard to find on weekends',
]
const FIRST_DAY_MS = Date.UTC(2026, 0, 1)
const YEAR_MS = 31_536_000_000

export function makeQuestion(
  type: QuestionType,
  number: number,
  shape: Shape,
  layout: Layout,
  random: Random,
): Question {
  const id = random.guid()
  const name = `Q${number} ${TITLES[type]}`
  const options = type === 'enum' || type === 'set' ? makeOptions(shape, random) : undefined
  const definition = {
    id,
    name,
    type: {
      dataType: type,
      ...(options === undefined ? {} : { values: options.map(({ id, name }) => ({ id, name })) }),
    },
    isSensitive: type === 'identifier',
    meta: { description: `<p>Question ${number}: ${TITLES[type]}?</p>`, visibility: 'active', isSystem: false },
  }
  const draw = drawerOf(type, id, options ?? [], shape, layout)
  return { id, name, definition, skip: layout.answer(id, null), draw }
}

const TITLES: Readonly<Record<QuestionType, string>> = {
  enum: 'How satisfied are you',
  set: 'Which of these apply',
  double: 'How much',
  datetime: 'When',
  string: 'Why',
  identifier: 'Number on your card',
}

interface Option {
  id: string
  name: string
  hash: number
  weight: number
}

/** A few options take most answers, as in real surveys; the last one is never chosen. */
function makeOptions(shape: Shape, random: Random): Option[] {
  const [fewest, most] = shape.options
  const count = fewest + random.below(most - fewest + 1)
  return Array.from({ length: count }, (_, i) => {
    const name = `${random.pick(['Very', 'Rather', 'Not', 'Somewhat', 'Mostly'])} ${random.pick(ADJECTIVES)} (${i + 1})`
    const weight = i > 1 && i === count - 1 ? 0 : random.unit() / (i + 1)
    return { id: random.guid(), name, hash: textHash(name), weight }
  })
}

const ADJECTIVES = ['satisfied', 'likely', 'important', 'zufrieden', 'contrôlé', '満足', 'expensive', 'easy to use']

type Drawer = (random: Random) => Answer

function drawerOf(type: QuestionType, id: string, options: readonly Option[], shape: Shape, layout: Layout): Drawer {
  const answer: Answer = { text: '', hash: 0, values: 1 }
  const one = (token: string, hash: number): Answer => {
    answer.text = layout.answer(id, token)
    answer.hash = hash
    return answer
  }
  switch (type) {
    case 'enum':
      return enumDrawer(id, options, layout)
    case 'set':
      return setDrawer(id, options, shape, layout)
    case 'double':
      return (random) => {
        const value = random.chance(0.7) ? random.below(11) : Math.round(random.normal(50_000, 20_000)) / 100
        return one(String(value), numberHash(value))
      }
    case 'datetime':
      return (random) => {
        const epochMs = FIRST_DAY_MS + Math.floor(random.unit() * YEAR_MS)
        return one(`"${new Date(epochMs).toISOString()}"`, timeHash(epochMs))
      }
    case 'string':
      return (random) => {
        const text = drawText(random, shape)
        return one(JSON.stringify(text), textHash(text))
      }
    case 'identifier':
      return (random) => {
        const card = `M-${String(random.below(100_000_000)).padStart(8, '0')}`
        return one(`"${card}"`, textHash(card))
      }
  }
}

function enumDrawer(id: string, options: readonly Option[], layout: Layout): Drawer {
  const weights = options.map((option) => option.weight)
  const answers = options.map((option) => ({ text: layout.answer(id, `"${option.id}"`), hash: option.hash, values: 1 }))
  return (random) => answers[random.weighted(weights)] as Answer
}

function setDrawer(id: string, options: readonly Option[], shape: Shape, layout: Layout): Drawer {
  const total = options.reduce((sum, option) => sum + option.weight, 0)
  const share = Math.min(shape.chosen, options.length) / total
  const tokens = options.map((option) => `"${option.id}"`)
  const answer: Answer = { text: '', hash: 0, values: 0 }
  return (random) => {
    let values = ''
    const hashes: number[] = []
    for (const [i, option] of options.entries()) {
      if (!random.chance(option.weight * share)) continue
      values += hashes.length === 0 ? tokens[i] : layout.valueSeparator + tokens[i]
      hashes.push(option.hash)
    }
    answer.text = layout.answer(id, values)
    answer.hash = listHash(hashes)
    answer.values = hashes.length
    return answer
  }
}

function drawText(random: Random, shape: Shape): string {
  const [fewest, most] = shape.phrases
  const count = fewest + random.below(most - fewest + 1)
  let text = random.pick(PHRASES)
  for (let i = 1; i < count; i++) text += `, ${random.pick(PHRASES)}`
  return random.chance(0.5) ? `${text} (${random.below(100_000)})` : text
}
