package coop.sahkar.worker.ring;

import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.SealedTicket;
import java.io.IOException;
import java.net.InetSocketAddress;

/** The way to workers that are reached through a coordinator. */
@FunctionalInterface
public interface RelayPath {
    /**
     * Prepares one connection to a worker; without waiting for anything.
     *
     * @param ticket of a session whose route names that worker and this one
     * @return where to dial it; the address takes one connection
     * @throws IOException in a sentence, if there is no way
     */
    InetSocketAddress open(RelayEndpoint to, SealedTicket ticket) throws IOException;
}
