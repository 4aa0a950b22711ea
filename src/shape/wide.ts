/** The wide layout: the columns of each question, their names, and how each is built from a decoded batch. */

import { type Data, DataType, Dictionary, Field, List, type Schema } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import type { Definition, FieldDefinition } from '../definition.ts'
import { type NameWish, type Naming, optionColumnName, uniqueNames } from '../plan/name-modes.ts'
import { numberedNames, OPTIONAL_COLUMNS, SYSTEM_COLUMNS } from '../plan/names.ts'
import { type ColumnPlan, UTF8 } from '../plan/schema.ts'
import { type Namespace, namesOf, pathOf, type QuestionName, type TableNames } from './column-names.ts'
import { StructColumn } from './groups.ts'
import { ROLE_METADATA_KEY, roleMetadata } from './metadata.ts'
import type { ResolvedShape } from './options.ts'
import { hashedData } from './privacy.ts'
import type { BaseBatch, OutputColumn } from './recipe.ts'
import { FLAG_TYPE, type FlaggedSet, OtherOptions, SetFlags } from './set-columns.ts'
import { stateData, stateType } from './states.ts'
import { NAIVE_TIMESTAMP, withoutZone } from './timezone.ts'
import { dictionaryOf, idDictionary, withDictionary } from './values.ts'

export interface WideColumns {
  readonly columns: readonly OutputColumn[]
  /** Names of the questions, in the order of the plans. */
  readonly names: readonly string[]
  readonly otherOptions: OtherOptions | undefined
}

/** A column in addition to the answers; it gets its name once all wishes for names are known. */
interface Draft {
  readonly wish: NameWish
  make(name: string): OutputColumn
}

interface QuestionColumns {
  readonly question: QuestionName
  readonly answers: readonly OutputColumn[]
  readonly drafts: readonly Draft[]
}

const OTHER_OPTIONS = 'otherOptions'

export function wideColumns(
  plans: readonly ColumnPlan[],
  base: Schema,
  definition: Definition,
  shape: ResolvedShape,
  naming: Naming,
): WideColumns {
  return new WidePlanner(plans, base, definition, shape, naming).plan()
}

class WidePlanner {
  readonly #plans: readonly ColumnPlan[]
  readonly #base: Schema
  readonly #shape: ResolvedShape
  readonly #naming: Naming
  readonly #names: TableNames
  readonly #sets: FlaggedSet[] = []
  #nextDictionaryId: number

  constructor(
    plans: readonly ColumnPlan[],
    base: Schema,
    definition: Definition,
    shape: ResolvedShape,
    naming: Naming,
  ) {
    this.#plans = plans
    this.#base = base
    this.#shape = shape
    this.#naming = naming
    this.#names = namesOf(plans, definition, naming, shape.groups)
    this.#nextDictionaryId = base.fields.length
  }

  plan(): WideColumns {
    const questions: QuestionColumns[] = []
    const before: OutputColumn[] = []
    const after: OutputColumn[] = []
    const optional: [ColumnPlan, number][] = []
    for (const [i, plan] of this.#plans.entries()) {
      const question = this.#names.of.get(plan)
      if (question !== undefined) questions.push(this.#planQuestion(plan, i, question))
      else if (plan.source === 'skipped') after.push(...this.#planSkipped(i))
      else if (plan.source === 'invalid' || plan.source === 'extra') optional.push([plan, i])
      else before.push(this.#planMember(plan, i))
    }
    const named = this.#nameDrafts(questions)
    const otherOptions = this.#planOtherOptions()
    after.push(...this.#planOptional(optional))
    return {
      columns: [...before, ...joinGroups(named), ...(otherOptions === undefined ? [] : [otherOptions]), ...after],
      names: questions.map(({ question }) => pathOf(question)),
      otherOptions,
    }
  }

  /** Plans `ownerId` or `lastUpdateDate`. */
  #planMember(plan: ColumnPlan, column: number): OutputColumn {
    const { hashOwner, hashKey } = this.#shape
    if (plan.source === 'ownerId' && hashOwner) {
      const field = new Field(plan.name, UTF8, true, new Map([['alida:hashed', 'true']]))
      return { field, build: (base) => hashedData(base.column(column), plan.type, hashKey) }
    }
    return this.#planAnswer(plan, column, plan.name)
  }

  #planSkipped(column: number): OutputColumn[] {
    if (this.#shape.answerStates !== 'list') return []
    return [this.#planNamesColumn(column, this.#base.fields[column]!, [])]
  }

  /** Plans a column of lists of questions' names. In its dictionary, the names `before` come first. */
  #planNamesColumn(column: number, field: Field, before: readonly string[]): OutputColumn {
    if (this.#shape.groups === 'flat') return { field, build: (base) => base.column(column) }
    const paths = this.#plans.flatMap((plan) => this.#names.of.get(plan) ?? []).map(pathOf)
    const dictionary = utf8Vector([...before, ...numberedNames(paths, new Set())])
    return { field, build: (base) => withDictionary(base.column(column), field.type, dictionary) }
  }

  /** Plans `invalid` and `_extra`, which get names that are still free. */
  #planOptional(columns: readonly [ColumnPlan, number][]): OutputColumn[] {
    const [invalid, extra] = numberedNames(Object.values(OPTIONAL_COLUMNS), this.#names.top.used) as [string, string]
    return columns.flatMap(([{ source }, column]) => {
      const { type, metadata } = this.#base.fields[column]!
      const field = new Field(source === 'invalid' ? invalid : extra, type, true, metadata)
      if (source === 'extra') return [{ field, build: (base: BaseBatch) => base.column(column) }]
      if (this.#shape.answerStates !== 'list') return []
      return [this.#planNamesColumn(column, field, [SYSTEM_COLUMNS.lastUpdateDate])]
    })
  }

  #planQuestion(plan: ColumnPlan, column: number, question: QuestionName): QuestionColumns {
    const { answerStates, sets, values } = this.#shape
    const field = plan.field!
    const hasLabels = plan.isHashed !== true && (plan.type === 'dictionary' || plan.type === 'list')
    const hasFlags = hasLabels && plan.type === 'list' && sets !== 'list' && field.options.length > 0
    const hasAnswers = !hasFlags || sets === 'both'
    const answers = hasAnswers ? [this.#planAnswer(plan, column, question.name)] : []
    const drafts: Draft[] = []
    if (hasAnswers && hasLabels && values === 'both') drafts.push(this.#planIds(field, column, question.name))
    if (hasFlags) drafts.push(...this.#planFlags(plan, field, column, question.name))
    if (hasFlags && !hasAnswers) this.#sets.push({ column, name: pathOf(question), options: field.options.length })
    if (answerStates === 'columns') drafts.push(this.#planState(field, column, question.name))
    return { question, answers, drafts }
  }

  #planAnswer(plan: ColumnPlan, column: number, name: string): OutputColumn {
    const { type, metadata } = this.#base.fields[column]!
    const fieldOf = (shown: DataType) => new Field(name, shown, true, metadata)
    if (plan.isHashed === true) {
      const key = this.#shape.hashKey
      return { field: fieldOf(UTF8), build: (base) => hashedData(base.column(column), plan.type, key) }
    }
    if (plan.type === 'timestamp' && this.#shape.timezone === 'naive') {
      return { field: fieldOf(NAIVE_TIMESTAMP), build: (base) => withoutZone(base.column(column)) }
    }
    if (this.#shape.values === 'id' && (plan.type === 'dictionary' || plan.type === 'list')) {
      return { field: fieldOf(type), build: idBuilder(column, type) }
    }
    return { field: fieldOf(type), build: (base) => base.column(column) }
  }

  #planIds(field: FieldDefinition, column: number, name: string): Draft {
    const type = withDictionaryId(this.#base.fields[column]!.type, this.#nextDictionaryId++)
    const build = idBuilder(column, type)
    return {
      wish: { wanted: `${name}__id`, key: `${field.id} id` },
      make: (unique) => ({ field: new Field(unique, type, true, roleMetadata('id', field)), build }),
    }
  }

  #planFlags(plan: ColumnPlan, field: FieldDefinition, column: number, name: string): Draft[] {
    const { values } = this.#shape
    const flags = new SetFlags(column, field.options.length)
    return field.options.map(({ id }, option) => {
      const label = values === 'id' ? id : plan.labels[option]!
      const metadata = roleMetadata('option', field, id)
      return {
        wish: { wanted: optionColumnName(name, { id, label }, this.#naming), key: `${field.id} option ${id}` },
        make: (unique) => ({
          field: new Field(unique, FLAG_TYPE, true, metadata),
          build: (base) => flags.data(base, option),
        }),
      }
    })
  }

  #planState(field: FieldDefinition, column: number, name: string): Draft {
    const type = stateType(this.#nextDictionaryId++)
    return {
      wish: { wanted: `${name}__state`, key: `${field.id} state` },
      make: (unique) => ({
        field: new Field(unique, type, true, roleMetadata('state', field)),
        build: (base) => stateData(base, column, type),
      }),
    }
  }

  /** Creates the columns of all drafts, with names that differ from all others in their namespace. */
  #nameDrafts(questions: readonly QuestionColumns[]): { namespace: Namespace; columns: OutputColumn[] }[] {
    const draftsOf = new Map<Namespace, Draft[]>()
    for (const { question, drafts } of questions) {
      const known = draftsOf.get(question.namespace)
      if (known === undefined) draftsOf.set(question.namespace, [...drafts])
      else known.push(...drafts)
    }
    const columnOf = new Map<Draft, OutputColumn>()
    for (const [{ used }, drafts] of draftsOf) {
      const wishes = drafts.map((draft) => draft.wish)
      const names = uniqueNames(wishes, this.#naming.mode, used)
      for (const [i, draft] of drafts.entries()) columnOf.set(draft, draft.make(names[i]!))
    }
    return questions.map(({ question, answers, drafts }) => ({
      namespace: question.namespace,
      columns: [...answers, ...drafts.map((draft) => columnOf.get(draft)!)],
    }))
  }

  #planOtherOptions(): OtherOptions | undefined {
    if (this.#sets.length === 0) return undefined
    const [name = OTHER_OPTIONS] = numberedNames([OTHER_OPTIONS], this.#names.top.used)
    const metadata = new Map([[ROLE_METADATA_KEY, 'other-options']])
    return new OtherOptions(name, this.#sets, this.#nextDictionaryId++, metadata)
  }
}

function idBuilder(column: number, type: DataType): (base: BaseBatch) => Data {
  const ids = idDictionary()
  return (base) => {
    const data = base.column(column)
    return withDictionary(data, type as Dictionary | List, ids.of(dictionaryOf(data)))
  }
}

/** Returns the same type with another dictionary id. */
function withDictionaryId(type: DataType, id: number): DataType {
  if (DataType.isDictionary(type)) return new Dictionary(UTF8, type.indices, id, false)
  const item: Field = type.children[0]
  return new List(new Field(item.name, withDictionaryId(item.type, id), true))
}

/** Joins the members of each struct into one column, in the position of the first member. */
function joinGroups(questions: readonly { namespace: Namespace; columns: OutputColumn[] }[]): OutputColumn[] {
  const members = new Map<Namespace, OutputColumn[]>()
  for (const { namespace, columns } of questions) {
    if (namespace.group === undefined) continue
    const known = members.get(namespace)
    if (known === undefined) members.set(namespace, [...columns])
    else known.push(...columns)
  }
  const seen = new Set<Namespace>()
  return questions.flatMap(({ namespace, columns }) => {
    if (namespace.group === undefined) return columns
    if (seen.has(namespace)) return []
    seen.add(namespace)
    const { name, definition } = namespace.group
    return [new StructColumn(name, definition, members.get(namespace)!)]
  })
}
