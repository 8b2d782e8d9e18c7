package coop.sahkar.coordinator.gateway;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The connection to a head, which also knows whether anything comes over it, whatever call it is
 * for: that a head is there is said by each word of it. Thread-safe.
 */
final class HeadLine extends Channel {
    private final ManagedChannel channel;
    private final HeadLoops loops;
    private final AtomicLong heard = new AtomicLong();
    private final ClientStreamTracer.Factory ears =
            new ClientStreamTracer.Factory() {
                @Override
                public ClientStreamTracer newClientStreamTracer(
                        ClientStreamTracer.StreamInfo info, Metadata headers) {
                    return new Ear();
                }
            };

    HeadLine(ManagedChannel channel, HeadLoops loops) {
        this.channel = channel;
        this.loops = loops;
    }

    /** Called by the network's thread, before anybody deals with what came. */
    private final class Ear extends ClientStreamTracer {
        @Override
        public void inboundMessage(int number) {
            heard.incrementAndGet();
        }

        @Override
        public void inboundTrailers(Metadata trailers) {
            heard.incrementAndGet();
        }
    }

    /** How many messages and ends of calls have come. */
    long heard() {
        return heard.get();
    }

    /** Runs something when all that had come and was to be sent by now is read and written. */
    void whenCaughtUp(Runnable then) {
        loops.whenCaughtUp(then);
    }

    /** Lets running calls end. */
    void shutdown() {
        channel.shutdown();
    }

    void shutdownNow() {
        channel.shutdownNow();
    }

    @Override
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
        return channel.newCall(method, options.withStreamTracerFactory(ears));
    }

    @Override
    public String authority() {
        return channel.authority();
    }
}
