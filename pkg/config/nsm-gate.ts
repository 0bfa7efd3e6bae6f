import { kubernetesVariables } from './kubernetes.ts'
import { absolutePath, logLevel, name, oneOf } from './parsers.ts'
import { defineConfig, required, withDefault } from './table.ts'

export const gateConfig = defineConfig(
  'nsm-gate: keeps nsm-cni in the chain of CNI plugins of a node of Kubernetes, so that pods start when their wires are up.',
  {
    gate: withDefault(
      required(
        'NSM_GATE',
        'auto; or none, which takes nsm-cni out of the chain: then pods start at once, and get their wires late',
        oneOf(['auto', 'none']),
      ),
      'auto',
    ),
    confFolder: withDefault(
      required('NSM_CNI_CONF_DIR', 'directory of the CNI configuration of the container runtime', absolutePath),
      '/etc/cni/net.d',
    ),
    binFolder: withDefault(
      required('NSM_CNI_BIN_DIR', 'directory in which the container runtime looks for CNI plugins', absolutePath),
      '/opt/cni/bin',
    ),
    plugin: withDefault(
      required('NSM_CNI_PLUGIN', 'path of the nsm-cni that is copied there', absolutePath),
      '/usr/bin/nsm-cni',
    ),
    runFolder: withDefault(
      required(
        'NSM_GATE_DIR',
        'directory in which nsm-cni finds the socket of nsm-dataplane and what nsmd says of namespaces: the same path on the node',
        absolutePath,
      ),
      '/run/nsmesh-gate',
    ),
    namespace: withDefault(required('NSM_NAMESPACE', 'namespace of nsmesh', name), 'nsm-system'),
    daemonSet: withDefault(
      required('NSM_DAEMON_SET', 'DaemonSet of nsmesh there: when it is gone, nsm-cni goes with this program', name),
      'nsmd',
    ),
    ...kubernetesVariables,
    logLevel: withDefault(required('NSM_LOG_LEVEL', 'log level: debug, info, warn or error', logLevel), 'info'),
  },
)

export type GateConfig = ReturnType<typeof gateConfig.read>
