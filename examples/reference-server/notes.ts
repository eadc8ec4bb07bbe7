import { randomUUID } from 'node:crypto'
import type { SqliteHandle } from 'fastify-mcp-security/stores/sqlite'

export interface Note {
  readonly id: string
  readonly text: string
}

/** Notes kept per user. Every statement names the subject, so no note of another user can be reached. */
export interface Notes {
  list (subject: string): Note[]
  search (subject: string, words: string): Note[]
  add (subject: string, text: string): Note
  /** Answers whether there was such a note of this user. */
  remove (subject: string, id: string): boolean
}

const readNote = (row: unknown): Note => {
  const { id, text } = row as { id: string, text: string }
  return { id, text }
}

export function openNotes (handle: SqliteHandle): Notes {
  handle.exec(`create table if not exists notes (
    number integer primary key, subject text not null, id text not null unique, text text not null);
    create index if not exists notes_of_subject on notes (subject)`)
  const list = handle.prepare('select id, text from notes where subject = ? order by number')
  const search = handle.prepare('select id, text from notes where subject = ? and instr(lower(text), lower(?)) > 0 order by number')
  const add = handle.prepare('insert into notes (subject, id, text) values (?, ?, ?)')
  const remove = handle.prepare('delete from notes where subject = ? and id = ?')
  return {
    list: (subject) => list.all(subject).map(readNote),
    search: (subject, words) => search.all(subject, words).map(readNote),
    add (subject, text) {
      const note = { id: randomUUID(), text }
      add.run(subject, note.id, text)
      return note
    },
    remove: (subject, id) => Number(remove.run(subject, id).changes) > 0
  }
}
