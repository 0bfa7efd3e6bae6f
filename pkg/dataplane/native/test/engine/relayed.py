"""Two engines, each with a workload, whose nodes reach each other only through the relay."""

import json

from engine import Device, Engine, Keys, add_underlay, add_wire, packed
from impair import Relay, build_underlay, probe
from lab import check, ping

AES, CHACHA = 2, 1
NEAR, FAR = 'wg-10.0.0.1', 'wg-10.0.0.2'
NODES = (('wa', 'na', '10.9.1.1', Relay.TOWARDS_A), ('wb', 'nb', '10.9.2.2', Relay.TOWARDS_B))


def build_relayed(world, *commands, seed=1, learns=False, make_engine=lambda world, work, node: Engine(world),
                  make_device=Device, **wire):  # fmt: skip
    """Returns the relay, and the near (na, 10.0.0.1 in wa) and the far engine (nb, 10.0.0.2 in wb)."""
    build_underlay(world)
    relay = Relay(world, *commands, seed=seed, learns=learns)
    keys, engines = [Keys(), Keys()], []
    for i, (work, node, address, relay_address) in enumerate(NODES):
        world.namespace(work)
        engine, device = make_engine(world, work, node), make_device(world.namespaces[work], 'nsm-1')
        add_underlay(engine, world.namespaces[node], address, keys[i])
        add_wire(engine, device, f'10.0.0.{i + 1}', f'10.0.0.{2 - i}', keys[1 - i],
                 **{'aead': AES, 'peer_address': packed(relay_address), 'peer_port': 51820, **wire})  # fmt: skip
        device.up(f'10.0.0.{i + 1}/24', mtu=1400 if device.tap else 1420)
        engines.append(engine)
    seen = ping(world.namespaces['wa'], '10.0.0.2', 20, 0.01)
    check('the wire is up', seen['received'] > 0, f'seed {seed}')
    return relay, engines


def probe_through(world, rate, seconds, **more):
    return probe(world, 'wa', 'wb', '10.0.0.2', rate, seconds, **more)


def difference(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def shown(seen):
    """A probe's result as JSON, without the list of missing numbers if it is empty."""
    return json.dumps({name: value for name, value in seen.items() if name != 'missing' or value})
