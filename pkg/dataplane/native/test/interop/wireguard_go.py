"""Debian's wireguard-go in a namespace, configured with `wg`."""

import os
import time

from lab import sh


class WireguardGo:
    def __init__(self, lab, namespace, keys, port=51820):
        self.lab, self.ns, self.keys = lab, lab.namespaces[namespace], keys
        # Control sockets are found by the device's name, on the whole machine, so the name must be unique there.
        self.name = f'nsmt{os.getpid() % 100000}{namespace}'
        # wireguard-go keeps the device only while it runs.
        lab.start(namespace, f'wireguard-go -f {self.name}')
        self.wait()
        self.wg(f'private-key /dev/stdin listen-port {port}', input=keys.private_text)

    def wait(self):
        for _ in range(200):
            if os.path.exists(f'/var/run/wireguard/{self.name}.sock'):
                return
            time.sleep(0.02)
        raise TimeoutError('wireguard-go did not start')

    def wg(self, settings, **options):
        self.ns.sh(f'wg set {self.name} {settings}', **options)

    def add_peer(self, public_text, endpoint, allowed, preshared_text=''):
        settings = f'peer {public_text} allowed-ips {allowed} endpoint {endpoint}'
        if preshared_text:
            settings += ' preshared-key /dev/stdin'
        self.wg(settings, input=preshared_text)

    def up(self, address, mtu=1420):
        self.ns.sh(f'ip addr add {address} dev {self.name}')
        self.ns.sh(f'ip link set {self.name} mtu {mtu} up')

    def transfer(self):
        """(bytes received, bytes sent) for its only peer."""
        return tuple(map(int, self.ns.sh(f'wg show {self.name} transfer').split()[1:3]))


def preshared():
    return sh('wg genpsk').strip()
