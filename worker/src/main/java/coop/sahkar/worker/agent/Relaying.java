package coop.sahkar.worker.agent;

import coop.sahkar.proto.v1.RelayWish;

/** When a worker is reached through coordinators. */
public enum Relaying {
    /** When a coordinator does not find it at its endpoint. */
    AUTO,
    /** Always, so that nobody needs to connect to it. */
    ALWAYS,
    /** Never: others reach its endpoint, even if a coordinator does not. */
    NEVER;

    RelayWish toWire() {
        return switch (this) {
            case AUTO -> RelayWish.RELAY_WISH_AUTO;
            case ALWAYS -> RelayWish.RELAY_WISH_ALWAYS;
            case NEVER -> RelayWish.RELAY_WISH_NEVER;
        };
    }
}
