package coop.sahkar.client.pool;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.CountTokensReply;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelsGrpc;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A Sahkar pool. A request goes to the coordinator that answered last; when that one cannot be
 * reached, the next is asked, also in the middle of an answer, which goes on there behind what has
 * come. The pool finds other routes by itself and notices by itself when an answer stands still.
 */
public final class PoolProvider implements Provider {
    /** What the pool is called unless it gets another name. */
    public static final String NAME = "pool";

    private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(15);
    private static final Set<String> PARAMETERS =
            Set.of(
                    "seed",
                    "top_k",
                    "min_p",
                    "typical_p",
                    "repetition_penalty",
                    "frequency_penalty",
                    "presence_penalty",
                    "penalty_window",
                    "logit_bias");

    private static final Set<Feature> FEATURES =
            Set.of(
                    Feature.CHAT,
                    Feature.PROMPT,
                    Feature.TOOLS,
                    Feature.JSON_OBJECT,
                    Feature.JSON_SCHEMA);

    private final Profile profile;
    private final CoordinatorRing ring;

    private PoolProvider(String name, List<Offer> offers, CoordinatorRing ring, Duration connect) {
        this.ring = ring;
        this.profile =
                new Profile(
                        name,
                        offers,
                        FEATURES,
                        PARAMETERS,
                        DataUse.NO_TRAINING,
                        Allowance.UNBOUNDED,
                        new Patience(connect, Patience.FOREVER, Patience.FOREVER));
    }

    /**
     * The pool behind these coordinators. Nothing is connected until the first request.
     *
     * @throws IllegalArgumentException in a sentence, if one of them is no address
     */
    public static PoolProvider at(String... addresses) {
        return at(
                NAME,
                Arrays.stream(addresses).map(CoordinatorAddress::parse).distinct().toList(),
                Duration.ofSeconds(5));
    }

    /**
     * The pool behind these coordinators, at least one.
     *
     * @param connectTimeout how long to wait for a connection before the next one is tried
     */
    public static PoolProvider at(
            String name, List<CoordinatorAddress> addresses, Duration connectTimeout) {
        return at(name, addresses, connectTimeout, "", Transport.OPEN);
    }

    /**
     * The same with an API key, and encrypted if that is wanted.
     *
     * @param key what the pool's operator gave the caller; empty for none
     * @param transport in the open, or encrypted as {@link Transport#trusting} says
     * @throws IllegalArgumentException in a sentence, if there is no address or the key has
     *     characters that no key has
     */
    public static PoolProvider at(
            String name,
            List<CoordinatorAddress> addresses,
            Duration connectTimeout,
            String key,
            Transport transport) {
        if (!key.matches("[!-~]*")) {
            throw new IllegalArgumentException(
                    "an API key has letters, digits and signs, no blanks and no line ends");
        }
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("name at least one coordinator");
        }
        CoordinatorRing ring =
                new CoordinatorRing(
                        addresses, at -> CoordinatorChannel.to(at, connectTimeout, key, transport));
        return new PoolProvider(name, List.of(), ring, connectTimeout);
    }

    /** The same pool, asked for these models only; their aliases are what requests may say. */
    public PoolProvider offering(Offer... offers) {
        return new PoolProvider(
                profile.name(), List.of(offers), ring, profile.patience().connect());
    }

    @Override
    public Profile profile() {
        return profile;
    }

    @Override
    public Answer ask(Call call) {
        return new PoolAnswer(call, ring);
    }

    /**
     * The models of the pool, by name.
     *
     * @throws InferenceException if no coordinator can be asked
     */
    public List<ModelInfo> models() {
        return fromAny(channel ->
                        ModelsGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(
                                        QUESTION_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                                .list(ListModelsRequest.getDefaultInstance()))
                .getModelsList()
                .stream()
                .map(Wire::model)
                .toList();
    }

    @Override
    public OptionalInt countTokens(InferenceRequest request, String model) {
        CountTokensReply reply =
                fromAny(channel ->
                        GenerationGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(
                                        QUESTION_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                                .countTokens(Wire.input(request, model, "").build()));
        if (reply.hasProblem()) {
            throw InferenceException.of(
                    Wire.failure(coop.sahkar.proto.Wire.fromWire(reply.getProblem())));
        }
        return OptionalInt.of(reply.getTokens());
    }

    /** What the first coordinator that can be reached says. */
    private <A> A fromAny(Function<Channel, A> question) {
        List<String> unreachable = new ArrayList<>();
        Status last = Status.UNAVAILABLE;
        for (CoordinatorChannel coordinator : ring.inOrder()) {
            try {
                A reply = question.apply(coordinator.channel());
                ring.prefer(coordinator);
                return reply;
            } catch (StatusRuntimeException e) {
                String where = coordinator.address().toString();
                last = e.getStatus();
                if (last.getCode() != Status.Code.UNAVAILABLE) {
                    throw InferenceException.of(Wire.failure(Wire.problem(last, where)));
                }
                unreachable.add(where);
            }
        }
        throw InferenceException.of(CoordinatorRing.unreachable(unreachable, last));
    }

    @Override
    public List<String> modelNames() {
        return models().stream().map(ModelInfo::id).toList();
    }

    @Override
    public void close() {
        ring.close();
    }
}
