package coop.sahkar.coordinator.gateway;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SignedTicket;

/** Writes what is asked of a head. */
final class HeadRequests {
    private HeadRequests() {}

    /**
     * The request for one route: the caller's, and what earlier heads have committed.
     *
     * @param askedAtMillis Unix time of the caller's request
     * @param restMillis how long the stages may keep the session for a next turn
     */
    static RunRequest run(
            SealedTicket ticket,
            GenerateRequest request,
            ResumePlan plan,
            long askedAtMillis,
            int restMillis) {
        return RunRequest.newBuilder()
                .setTicket(signed(ticket))
                .setRequest(request.toBuilder().clearResume().setModel(ticket.ticket().modelId()))
                .setOrphanMillis(GatewayLimits.ORPHAN_MILLIS)
                .addAllCommitted(plan.committed())
                .setDeliveredBytes(plan.deliveredBytes())
                .setAskedAtMillis(askedAtMillis)
                .setTurn(plan.turn())
                .setRestMillis(restMillis)
                .build();
    }

    /** A ticket as it goes over the wire. */
    static SignedTicket signed(SealedTicket ticket) {
        return SignedTicket.newBuilder()
                .setTicket(ByteString.copyFrom(ticket.bytes()))
                .setSignature(ByteString.copyFrom(ticket.signature()))
                .setKeyId(ticket.keyId())
                .build();
    }
}
