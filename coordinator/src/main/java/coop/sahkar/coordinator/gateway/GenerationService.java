package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.CountTokensReply;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.TokenizeRequest;
import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.security.SecureRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Generations over gRPC. Failures come as the stream's last event, so that the caller gets the
 * whole problem; the call itself then ends well.
 */
final class GenerationService extends GenerationGrpc.GenerationImplBase {
    private final RandomGenerator random = new SecureRandom();
    private final GenerationRunner runner;
    private final GatewayMetrics metrics;
    private final Doorkeeper doorkeeper;
    private final Turnstile turnstile;
    private final HeadQuestions heads;

    GenerationService(
            GenerationRunner runner,
            GatewayMetrics metrics,
            Doorkeeper doorkeeper,
            Turnstile turnstile) {
        this.runner = runner;
        this.metrics = metrics;
        this.doorkeeper = doorkeeper;
        this.turnstile = turnstile;
        this.heads = new HeadQuestions(runner);
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerationEvent> observer) {
        GenerateRequest completed =
                RequestRules.completed(request, random.nextLong(1, Long.MAX_VALUE));
        if (completed.getRequestId().isEmpty()) {
            completed = completed.toBuilder().setRequestId("req-" + UUID.randomUUID()).build();
        }
        if (completed.getResume().getHeardTokens() != 0) {
            GenerateRequest.Builder outside = completed.toBuilder();
            outside.getResumeBuilder().clearHeardTokens(); // a gateway's own word
            completed = outside.build();
        }
        Reader reader = new Reader((ServerCallStreamObserver<GenerationEvent>) observer);
        ServiceRequestContext context = ServiceRequestContext.current();
        switch (Accounts.identify(doorkeeper, context)) {
            case Doorkeeper.Entry.Refused(Problem problem) -> reader.refuse(problem);
            case Doorkeeper.Entry.Known(Caller caller) ->
                    settle(completed, caller, deadline(context), reader);
        }
    }

    private void settle(
            GenerateRequest request, Caller caller, @Nullable Deadline deadline, Reader reader) {
        try {
            start(AskedForm.settled(request), caller, deadline, reader);
        } catch (RefusedRequest refused) {
            reader.refuse(refused.problem());
        }
    }

    private void start(
            GenerateRequest request, Caller caller, @Nullable Deadline deadline, Reader reader) {
        var _ =
                turnstile
                        .enter(caller, request, 1)
                        .thenAccept(turn -> {
                            switch (turn) {
                                case Turnstile.Turn.Refused(Problem problem, var _) ->
                                        reader.refuse(problem);
                                case Turnstile.Turn.Entered(Passage passage, var _) ->
                                        runner.start(
                                                request,
                                                caller,
                                                deadline,
                                                metrics.measured(request, passage.metered(reader)));
                            }
                        });
    }

    @Override
    public void countTokens(GenerateRequest request, StreamObserver<CountTokensReply> observer) {
        switch (Accounts.identify(doorkeeper, ServiceRequestContext.current())) {
            case Doorkeeper.Entry.Refused(Problem problem) -> told(observer, uncounted(problem));
            case Doorkeeper.Entry.Known(Caller caller) -> {
                var _ =
                        turnstile
                                .question(caller)
                                .thenCompose(turn -> counted(request, turn))
                                .thenAccept(reply -> told(observer, reply));
            }
        }
    }

    private CompletableFuture<CountTokensReply> counted(
            GenerateRequest request, Turnstile.Turn turn) {
        Problem wrong =
                turn instanceof Turnstile.Turn.Refused(Problem limited, var _)
                        ? limited
                        : RequestRules.check(RequestRules.completed(request, 1));
        if (wrong != null) {
            return CompletableFuture.completedFuture(uncounted(wrong));
        }
        TokenizeRequest.Builder asked = TokenizeRequest.newBuilder();
        if (request.hasChat()) {
            asked.setChat(request.getChat());
        } else {
            asked.setText(request.getPrompt()).setAddSpecial(true);
        }
        return heads.tokenize(request.getModel(), asked)
                .thenApply(reply ->
                        reply.hasProblem()
                                ? CountTokensReply.newBuilder()
                                        .setProblem(reply.getProblem())
                                        .build()
                                : CountTokensReply.newBuilder()
                                        .setTokens(reply.getTokensCount())
                                        .build());
    }

    private static CountTokensReply uncounted(Problem problem) {
        return CountTokensReply.newBuilder().setProblem(Wire.toWire(problem)).build();
    }

    private static void told(StreamObserver<CountTokensReply> observer, CountTokensReply reply) {
        observer.onNext(reply);
        observer.onCompleted();
    }

    /** The caller's deadline, which the server keeps as the request's timeout. */
    private static @Nullable Deadline deadline(ServiceRequestContext context) {
        long millis = context.requestTimeoutMillis();
        return millis <= 0 ? null : Deadline.after(millis, TimeUnit.MILLISECONDS);
    }

    /** Writes events to one call, and asks for the next when the call has taken the last. */
    private static final class Reader implements GenerationListener {
        private final ServerCallStreamObserver<GenerationEvent> call;
        private final AtomicBoolean owesNext = new AtomicBoolean();
        private volatile @Nullable GenerationRun run;

        Reader(ServerCallStreamObserver<GenerationEvent> call) {
            this.call = call;
            call.setOnReadyHandler(this::ready);
            call.setOnCancelHandler(this::gone);
        }

        /** Nothing begins. */
        void refuse(Problem problem) {
            call.onNext(Problems.failedEvent(problem, ""));
            call.onCompleted();
        }

        @Override
        public void begun(GenerationRun begun) {
            run = begun;
            if (call.isCancelled()) {
                begun.cancel();
            } else {
                begun.next();
            }
        }

        @Override
        public void event(GenerationEvent event) {
            if (call.isCancelled()) {
                return;
            }
            call.onNext(event);
            if (event.hasFinished() || event.hasFailed()) {
                call.onCompleted();
                return;
            }
            owesNext.set(true);
            if (call.isReady()) {
                ready();
            }
        }

        @Override
        public void waiting(long millis) {}

        private void ready() {
            GenerationRun asking = run;
            if (asking != null && owesNext.compareAndSet(true, false)) {
                asking.next();
            }
        }

        private void gone() {
            GenerationRun cancelling = run;
            if (cancelling != null) {
                cancelling.cancel();
            }
        }
    }
}
