// Lets Node 20 run the sources as they are: types become blanks, so that lines, columns and coverage stay true.
import { register } from 'node:module'

register('./strip-types.js', import.meta.url)
