/** Our place in the chain of CNI plugins of a node: nsm-cni, and the entry by which the container runtime calls it. */
export { Chain, type ChainOptions, type Placement } from './chain.ts'
export { type KeepChainOptions, keepChain, leaveChain } from './keep-chain.ts'
