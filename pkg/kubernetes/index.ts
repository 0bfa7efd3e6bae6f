/** nsmesh in Kubernetes: the wires of the pods of a node, and the gate through which pods start. */
export { type Asked, type AskingPod, askedOfPod, isInheritedFrom } from './annotations/asked-of-pod.ts'
export type { Serve } from './annotations/serve.ts'
export type { AskedWire } from './annotations/wires.ts'
