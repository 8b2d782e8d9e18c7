package coop.sahkar.client;

import coop.sahkar.proto.v1.ListModelsReply;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelsGrpc;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Asks the models of a pool. Safe for use by many threads; make one and keep it.
 *
 * {@snippet file="coop/sahkar/client/ExampleTest.java" region="example"}
 *
 * <p>With several coordinators, a request goes to the one that answered last; when that one cannot
 * be reached before anything was answered, the next is asked. Failures are {@link
 * InferenceException}s, whose nested classes tell the cases apart.
 */
public final class InferenceClient implements AutoCloseable {
    private static final Duration LIST_TIMEOUT = Duration.ofSeconds(15);

    private final CoordinatorRing ring;

    private InferenceClient(Builder builder) {
        ring =
                new CoordinatorRing(
                        builder.addresses.stream()
                                .map(at -> CoordinatorChannel.to(at, builder.connectTimeout))
                                .toList());
    }

    /**
     * A client of the pool behind these coordinators. Nothing is connected until the first request.
     *
     * @param addresses each {@code http://host:port}, {@code host:port} or {@code host}
     * @throws IllegalArgumentException in a sentence, if one of them is no address
     */
    public static InferenceClient connect(String... addresses) {
        return builder().addresses(Arrays.asList(addresses)).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Asks and waits for the whole answer.
     *
     * @throws InferenceException if there is none; an interrupt cancels the generation
     */
    public Completion complete(InferenceRequest request) {
        try (TokenStream stream = stream(request)) {
            return stream.completion();
        }
    }

    /** Asks and gives the answer as it comes, to be pulled by the caller. */
    public TokenStream stream(InferenceRequest request) {
        long seed = ThreadLocalRandom.current().nextLong();
        Deadline deadline =
                request.options()
                        .timeout()
                        .map(time -> Deadline.after(time.toMillis(), TimeUnit.MILLISECONDS))
                        .orElse(null);
        return new TokenStream(Wire.toMessage(request, seed), deadline, ring);
    }

    /**
     * Asks and tells a listener of the answer as it comes.
     *
     * @return cancels the generation when run
     */
    public Runnable stream(InferenceRequest request, GenerationListener listener) {
        TokenStream stream = stream(request);
        Thread.ofVirtual().name("sahkar-answer").start(() -> tell(stream, listener));
        return stream::cancel;
    }

    /**
     * The models of the pool, by name.
     *
     * @throws InferenceException if no coordinator can be asked
     */
    public List<ModelInfo> models() {
        List<String> unreachable = new ArrayList<>();
        Status last = Status.UNAVAILABLE;
        for (CoordinatorChannel coordinator : ring.inOrder()) {
            try {
                ListModelsReply reply =
                        ModelsGrpc.newBlockingStub(coordinator.channel())
                                .withDeadlineAfter(LIST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                                .list(ListModelsRequest.getDefaultInstance());
                ring.prefer(coordinator);
                return reply.getModelsList().stream().map(Wire::model).toList();
            } catch (StatusRuntimeException e) {
                String where = coordinator.address().toString();
                last = e.getStatus();
                if (last.getCode() != Status.Code.UNAVAILABLE) {
                    throw InferenceException.of(Wire.problem(last, where));
                }
                unreachable.add(where);
            }
        }
        throw CoordinatorRing.unreachable(unreachable, last);
    }

    /** Cancels what is running and drops the connections. */
    @Override
    public void close() {
        ring.close();
    }

    private static void tell(TokenStream stream, GenerationListener listener) {
        try (stream) {
            while (stream.hasNext()) {
                listener.piece(stream.next());
            }
            listener.completed(stream.completion());
        } catch (InferenceException e) {
            listener.failed(e);
        }
    }

    /** Collects where and how to connect. */
    public static final class Builder {
        private List<CoordinatorAddress> addresses =
                List.of(new CoordinatorAddress("127.0.0.1", CoordinatorAddress.DEFAULT_PORT));
        private Duration connectTimeout = Duration.ofSeconds(5);

        private Builder() {}

        /**
         * The coordinators to ask, the preferred one first. Default: this machine's.
         *
         * @throws IllegalArgumentException in a sentence, if one of them is no address, or there is
         *     none
         */
        public Builder addresses(List<String> values) {
            if (values.isEmpty()) {
                throw new IllegalArgumentException("name at least one coordinator");
            }
            addresses = values.stream().map(CoordinatorAddress::parse).distinct().toList();
            return this;
        }

        /** How long to wait for a connection before the next coordinator is tried. Default 5 s. */
        public Builder connectTimeout(Duration value) {
            connectTimeout = value;
            return this;
        }

        public InferenceClient build() {
            return new InferenceClient(this);
        }
    }
}
