import type { HandleOwner } from '../../types/handles.js'

/** Whom something belongs to: one user through one client, at one resource. Roles, scopes and tokens may change. */
export type Owner = HandleOwner

/**
 * One text for one owner and `parts`, and never the same for two: JSON tells a missing subject from every subject, and
 * where one part ends from where the next begins. `purpose` keeps the texts of two uses apart.
 */
export function ownedText (purpose: string, owner: Owner, parts: readonly (string | number)[]): string {
  const { tenant, issuer, resource, subject, clientId } = owner
  return JSON.stringify([purpose, tenant, issuer, resource, subject, clientId, ...parts])
}
