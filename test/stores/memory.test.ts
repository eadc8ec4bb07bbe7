import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.js'
import { storeContract } from '../../lib/testing/store-contract.js'

storeContract(t, () => memoryStore())
