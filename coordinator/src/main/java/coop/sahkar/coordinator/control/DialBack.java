package coop.sahkar.coordinator.control;

import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ReachGrpc;
import coop.sahkar.proto.v1.WhoRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Dials workers back at the endpoint they name, a few at a time, and asks who is there. What it
 * sends to that address is one call without content. One that is not found is dialled again now and
 * then: it, or this machine, may have been busy, and firewalls are opened.
 */
final class DialBack {
    private static final int AT_ONCE = 64;
    private static final int CONNECT_MILLIS = 2_000;
    private static final int ANSWER_MILLIS = 4_000;
    private static final int MAX_ANSWER_BYTES = 1024;

    /** First pause between two dials; doubled each time. */
    static final long PAUSE_MILLIS = 1_000;

    private static final long MOST_PAUSE_MILLIS = TimeUnit.MINUTES.toMillis(10);

    private final Semaphore free = new Semaphore(AT_ONCE);
    private final Transport transport;

    /**
     * @param transport how workers are dialled
     */
    DialBack(Transport transport) {
        this.transport = transport;
    }

    /**
     * Dials a worker until it is found or nobody wants to know any more. Waits; on virtual threads
     * only.
     *
     * @param endpoint {@code host:port}
     * @param wanted whether it is to be dialled once more
     * @param verdict is told each time why it was not found; empty when it was, for the last time
     */
    void untilFound(
            String workerId,
            String endpoint,
            BooleanSupplier wanted,
            Consumer<Optional<String>> verdict) {
        long pause = PAUSE_MILLIS;
        while (wanted.getAsBoolean()) {
            Optional<String> fault = fault(workerId, endpoint);
            verdict.accept(fault);
            if (fault.isEmpty()) {
                return;
            }
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            pause = Math.min(2 * pause, MOST_PAUSE_MILLIS);
        }
    }

    /** Why a worker is not found at its endpoint; empty when it is. */
    private Optional<String> fault(String workerId, String endpoint) {
        try {
            free.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("this coordinator is shutting down");
        }
        try {
            return ask(workerId, endpoint);
        } finally {
            free.release();
        }
    }

    private Optional<String> ask(String workerId, String endpoint) {
        ManagedChannel channel;
        try {
            channel = dial(workerId, endpoint);
        } catch (IllegalArgumentException e) {
            return Optional.of(endpoint + " is not host:port");
        }
        try {
            String there =
                    ReachGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                            .who(WhoRequest.getDefaultInstance())
                            .getWorkerId();
            return there.equals(workerId)
                    ? Optional.empty()
                    : Optional.of("another worker answers at " + endpoint);
        } catch (StatusRuntimeException e) {
            Status.Code code = e.getStatus().getCode();
            return Optional.of("nobody answers at %s (%s)".formatted(endpoint, code));
        } finally {
            channel.shutdownNow();
        }
    }

    private ManagedChannel dial(String workerId, String endpoint) {
        return transport
                .to("dns:///" + endpoint, PeerRule.worker(workerId))
                .proxyDetector(_ -> null)
                .disableRetry()
                .maxInboundMessageSize(MAX_ANSWER_BYTES)
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .build();
    }
}
