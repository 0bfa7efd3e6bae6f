/** West and east on real Kubernetes, each a domain of nsmesh, joined from a laptop. */
import { KubernetesCluster } from '../../kubernetes/cluster.ts'
import { buildImage, installNsmesh, Laptop } from '../../kubernetes/nsmesh.ts'
import type { Lab } from '../../lab/lab.ts'
import { detail, step } from '../../lab/progress.ts'

export interface TwoClusters {
  readonly west: KubernetesCluster
  readonly east: KubernetesCluster
  /** Its kubectl's current context is west. */
  readonly laptop: Laptop
}

const NODE_COUNT = 2

export async function buildTwoClusters(lab: Lab): Promise<TwoClusters> {
  step(`starting the Kubernetes clusters west and east, of ${NODE_COUNT} nodes each; building the image of nsmesh`)
  const start = (name: string, number: number) => KubernetesCluster.start(lab, { name, number, nodeCount: NODE_COUNT })
  const [image, west, east] = await Promise.all([buildImage(lab), start('west', 10), start('east', 20)])
  const laptop = await Laptop.start(lab, 5, [west, east])
  const podCidrs = `kubectl get nodes -o 'jsonpath={.items[*].spec.podCIDR}'`
  detail(`addresses of pods: ${await laptop.shell(podCidrs)} in west,`)
  detail(`                   ${await laptop.shell(`${podCidrs} --context east`)} in east`)
  step('kubectl apply -k manifests/overlays/default    (in both)')
  await Promise.all([west, east].map((cluster) => cluster.loadImage(image)))
  await Promise.all([west, east].map((cluster) => installNsmesh(laptop, cluster)))
  const join = 'kubectl nsm domain invite east | kubectl nsm --context east domain join -'
  step(join)
  detail(await laptop.shell(join))
  return { west, east, laptop }
}
