package coop.sahkar.client;

import coop.sahkar.client.pool.PoolProvider;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Policy;
import coop.sahkar.client.routing.TokenEstimate;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Asks models: those of a pool, and where the caller names more providers, those of others when the
 * pool cannot. Safe for use by many threads; make one and keep it.
 *
 * {@snippet file="coop/sahkar/client/ExampleTest.java" region="example"}
 *
 * <p>With several providers, a {@link Policy} says who is asked first, how often, and who next:
 *
 * {@snippet file="coop/sahkar/client/ExampleTest.java" region="providers"}
 *
 * <p>Failures are {@link InferenceException}s, whose nested classes tell the cases apart and which
 * name everybody who was asked.
 */
public final class InferenceClient implements AutoCloseable {
    private final Dispatcher dispatcher;
    private final Policy policy;

    private InferenceClient(Dispatcher dispatcher, Policy policy) {
        this.dispatcher = dispatcher;
        this.policy = policy;
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

    /** The same client, with what it remembers and its connections, under another policy. */
    public InferenceClient under(Policy other) {
        return new InferenceClient(dispatcher, other);
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
        return new TokenStream(request, request.options().seed().orElse(seed), dispatcher, policy);
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

    /** The answer as a publisher; asked when somebody subscribes. */
    public AnswerPublisher publish(InferenceRequest request) {
        return new AnswerPublisher(() -> stream(request));
    }

    /**
     * The models of the pool, by name.
     *
     * @throws InferenceException if no coordinator can be asked
     * @throws IllegalStateException if the client has no pool among its providers
     */
    public List<ModelInfo> models() {
        return dispatcher.providers().stream()
                .filter(PoolProvider.class::isInstance)
                .map(PoolProvider.class::cast)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("this client has no pool"))
                .models();
    }

    /** What is known of the providers, in the caller's order. */
    public List<Profile> providers() {
        return dispatcher.providers().stream().map(Provider::profile).toList();
    }

    /** Tokens of a request's prompt, guessed from its length; a finished answer has real counts. */
    public int estimateTokens(InferenceRequest request) {
        return TokenEstimate.of(request);
    }

    /**
     * Tokens of a request's prompt, by the tokenizer and the chat template of the first provider
     * that has the model; guessed from the length where that one has no way to tell, as services
     * other than a pool.
     *
     * @throws InferenceException if the provider cannot be asked
     */
    public int countTokens(InferenceRequest request) {
        for (Provider provider : dispatcher.providers()) {
            var offer = provider.profile().offer(request.model());
            if (offer.isPresent()) {
                return provider.countTokens(request, offer.get().model())
                        .orElseGet(() -> estimateTokens(request));
            }
        }
        return estimateTokens(request);
    }

    /** Cancels what is running and drops the connections. */
    @Override
    public void close() {
        dispatcher.close();
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
        private final List<Provider> providers = new ArrayList<>();
        private List<CoordinatorAddress> addresses =
                List.of(new CoordinatorAddress("127.0.0.1", CoordinatorAddress.DEFAULT_PORT));
        private Duration connectTimeout = Duration.ofSeconds(5);
        private String key = "";
        private Optional<Policy> policy = Optional.empty();
        private Transport transport = Transport.OPEN;
        private ClientListener listener = ClientListener.NONE;

        private Builder() {}

        /**
         * The coordinators to ask, the preferred one first. Default: this machine's. Without effect
         * beside {@link #providers}, among which a {@link PoolProvider} may be.
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

        /**
         * Speaks encrypted, and only with coordinators of the co-operative whose certificate this
         * file holds. Default: unencrypted, for pools on this machine. Without effect beside {@link
         * #providers}.
         *
         * @throws IllegalArgumentException in a sentence, if the file holds no certificate
         */
        public Builder authority(Path certificate) {
            try {
                transport = Transport.trusting(certificate);
            } catch (IOException e) {
                throw new IllegalArgumentException(e.getMessage(), e);
            }
            return this;
        }

        /** How long to wait for a connection before the next coordinator is tried. Default 5 s. */
        public Builder connectTimeout(Duration value) {
            connectTimeout = value;
            return this;
        }

        /**
         * The API key that the pool's operator gave the caller. Default: none, which a pool may
         * serve too. Without effect beside {@link #providers}.
         */
        public Builder key(String value) {
            key = value;
            return this;
        }

        /** Whom to ask, in order; the client closes them. Default: the pool alone. */
        public Builder providers(Provider... values) {
            providers.addAll(Arrays.asList(values));
            return this;
        }

        /**
         * How to choose. Default: {@link Policy#FALLBACK}, but {@link Policy#ONCE} for a pool
         * alone.
         */
        public Builder policy(Policy value) {
            policy = Optional.of(value);
            return this;
        }

        /** Who is told what the client does. Default: nobody. */
        public Builder listener(ClientListener value) {
            listener = value;
            return this;
        }

        /**
         * The client.
         *
         * @throws IllegalArgumentException if two providers have one name, or the key cannot be one
         */
        public InferenceClient build() {
            if (providers.isEmpty()) {
                Provider pool =
                        PoolProvider.at(
                                PoolProvider.NAME, addresses, connectTimeout, key, transport);
                return new InferenceClient(
                        new Dispatcher(List.of(pool), listener), policy.orElse(Policy.ONCE));
            }
            return new InferenceClient(
                    new Dispatcher(providers, listener), policy.orElse(Policy.FALLBACK));
        }
    }
}
