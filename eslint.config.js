import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import { local } from './eslint-rules.js'

const fastify = ['fastify', 'fastify-plugin', '@fastify/*']
const rooms = (...names) => names.map((name) => `**/${name}/**`)

/**
 * Room -> what it must not import. types <- protocol <- crypto <- stores <- tokens
 * <- { oauth, identity, access, audit } <- plugins <- index <- { cli, examples }; pages know protocol only.
 */
const arrows = [
  ['types/**', ['**/lib/**']],
  ['lib/protocol/**', [...fastify, ...rooms('crypto', 'stores', 'tokens', 'oauth', 'identity', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/crypto/**', [...fastify, ...rooms('stores', 'tokens', 'oauth', 'identity', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/stores/**', [...fastify, ...rooms('tokens', 'oauth', 'identity', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/tokens/**', [...fastify, ...rooms('oauth', 'identity', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/oauth/**', [...fastify, ...rooms('identity', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/identity/**', [...fastify, ...rooms('oauth', 'access', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/access/**', [...fastify, ...rooms('oauth', 'identity', 'audit', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/audit/**', [...fastify, ...rooms('oauth', 'identity', 'access', 'pages', 'plugins', 'cli'), '../index.js']],
  ['lib/pages/**', [...fastify, ...rooms('crypto', 'stores', 'tokens', 'oauth', 'identity', 'access', 'audit', 'plugins', 'cli'), '../index.js']],
  ['lib/plugins/**', [...rooms('cli'), '../index.js', '../../index.js']]
]

export default [
  ...neostandard({ ts: true, ignores: resolveIgnoresFromGitignore() }),
  ...arrows.map(([files, group]) => ({
    files: [files],
    ignores: ['**/*.tst.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group, message: 'This import points up a room.' }] }]
    }
  })),
  {
    rules: {
      '@stylistic/comma-dangle': ['error', 'never'],
      'max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }]
    }
  },
  { files: ['lib/**'], rules: { 'no-console': 'error' } },
  { files: ['lib/cli/**'], rules: { 'no-console': 'off' } },
  {
    files: ['lib/**'],
    ignores: ['lib/clock.ts'],
    plugins: { local },
    rules: { 'local/no-clock': 'error', 'local/return-reply': 'error' }
  }
]
