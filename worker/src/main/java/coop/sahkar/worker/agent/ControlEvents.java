package coop.sahkar.worker.agent;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.Revocations;
import coop.sahkar.proto.v1.Welcome;
import java.util.List;
import java.util.Optional;

/** What coordinators say to a worker. Called from one thread; must not block it. */
interface ControlEvents {
    /**
     * A coordinator knows the worker; also under an address that is not used besides another of it.
     *
     * @param relayToken proves to its relay that it does
     */
    void known(String coordinator, ByteString relayToken);

    /** A coordinator let the worker in. */
    void welcomed(String coordinator, Welcome welcome);

    /**
     * A coordinator tried to dial this worker.
     *
     * @param fault why it did not find it; empty when it did
     */
    void dialled(String coordinator, Optional<String> fault);

    /** A coordinator says what the worker should hold. */
    void assigned(String coordinator, Assignment assignment);

    /** A coordinator says which peers the worker should measure the way to. */
    void measure(String coordinator, MeasurePeers measure);

    /** A coordinator says whose certificates count no more; replaces what it said before. */
    void revoked(String coordinator, Revocations revocations);

    /** A coordinator says where all of them are reached now, host:port. */
    void coordinators(String coordinator, List<String> gateways);

    /**
     * A coordinator is not reached, or does not let the worker in.
     *
     * @param why in a sentence
     */
    void detached(String coordinator, String why);
}
