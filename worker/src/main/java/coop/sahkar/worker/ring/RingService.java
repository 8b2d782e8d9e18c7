package coop.sahkar.worker.ring;

import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.RingGrpc;
import coop.sahkar.proto.v1.RingMessage;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** The gRPC service that other workers dial. */
final class RingService implements BindableService {
    private final RingOptions options;
    private final SessionDirectory directory;
    private final MessageAdapter adapter;
    private final RingCounters counters;
    private final ScheduledExecutorService scheduler;
    private final RingLoop loop;
    private final Map<String, InboundLink> links = new HashMap<>(); // guarded by itself

    RingService(
            RingOptions options,
            SessionDirectory directory,
            MessageAdapter adapter,
            RingCounters counters,
            ScheduledExecutorService scheduler,
            RingLoop loop) {
        this.options = options;
        this.directory = directory;
        this.adapter = adapter;
        this.counters = counters;
        this.scheduler = scheduler;
        this.loop = loop;
    }

    @Override
    public ServerServiceDefinition bindService() {
        var link = RingGrpc.getLinkMethod();
        return ServerServiceDefinition.builder(RingGrpc.SERVICE_NAME)
                .addMethod(
                        link.toBuilder(
                                        new Lenient(link.getRequestMarshaller()),
                                        link.getResponseMarshaller())
                                .build(),
                        ServerCalls.asyncBidiStreamingCall(this::link))
                .build();
    }

    /** Reads garbage as an empty message, so that its sender is refused as for any violation. */
    private record Lenient(MethodDescriptor.Marshaller<RingMessage> strict)
            implements MethodDescriptor.Marshaller<RingMessage> {
        @Override
        public InputStream stream(RingMessage message) {
            return strict.stream(message);
        }

        @Override
        public RingMessage parse(InputStream bytes) {
            try {
                return strict.parse(bytes);
            } catch (StatusRuntimeException e) {
                return RingMessage.getDefaultInstance();
            }
        }
    }

    private StreamObserver<RingMessage> link(StreamObserver<LinkReply> reply) {
        InboundLink link = new InboundLink(this, (ServerCallStreamObserver<LinkReply>) reply);
        link.begin();
        return link;
    }

    String workerId() {
        return options.workerId();
    }

    MessageAdapter adapter() {
        return adapter;
    }

    RingCounters counters() {
        return counters;
    }

    RingLoop loop() {
        return loop;
    }

    ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /** Takes note of a link; false when there are too many. A worker's older link ends. */
    boolean enter(String sender, InboundLink link) {
        @Nullable InboundLink older;
        synchronized (links) {
            if (links.size() >= options.maxLinks() && !links.containsKey(sender)) {
                return false;
            }
            older = links.put(sender, link);
        }
        if (older != null) {
            older.replaced();
        }
        return true;
    }

    /** Ends all links: this worker is closing. */
    void close() {
        List<InboundLink> open;
        synchronized (links) {
            open = List.copyOf(links.values());
        }
        open.forEach(InboundLink::close);
    }

    /** A link has ended; the stages hear of it. */
    void leave(String sender, InboundLink link, String reason) {
        synchronized (links) {
            links.remove(sender, link);
        }
        counters.brokenLinks.increment();
        directory.peerLost(sender, reason);
    }
}
