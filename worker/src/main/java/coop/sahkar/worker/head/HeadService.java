package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.DetokenizeReply;
import coop.sahkar.proto.v1.DetokenizeRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.HeadProbe;
import coop.sahkar.proto.v1.HeadProbeAnswer;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.Started;
import coop.sahkar.proto.v1.StopReply;
import coop.sahkar.proto.v1.StopRequest;
import coop.sahkar.proto.v1.TokenizeReply;
import coop.sahkar.proto.v1.TokenizeRequest;
import coop.sahkar.worker.ring.SessionDirectory;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * The gRPC service through which coordinators run generations from this worker's heads. Runs on
 * threads that may wait: rendering and tokenizing take time.
 */
public final class HeadService extends HeadGrpc.HeadImplBase {
    /** The year 9999 ends; formats of dates go no further. */
    private static final long MOST_MILLIS = 253_402_300_799_000L;

    /** No generation goes on for longer without its gateway. */
    private static final int MOST_ORPHAN_MILLIS = 30_000;

    private final HeadHost host;
    private final SessionDirectory directory;
    private final String workerId;
    private final LongSupplier clockMillis;
    private final TokenDesk tokens;

    /**
     * @param clockMillis Unix time
     */
    public HeadService(
            String workerId, HeadHost host, SessionDirectory directory, LongSupplier clockMillis) {
        this.workerId = workerId;
        this.host = host;
        this.directory = directory;
        this.tokens = new TokenDesk(host, directory);
        this.clockMillis = clockMillis;
    }

    @Override
    public void run(RunRequest request, StreamObserver<GenerationEvent> observer) {
        var call = (ServerCallStreamObserver<GenerationEvent>) observer;
        switch (directory.admitHead(request.getTicket())) {
            case SessionDirectory.Forged(Problem problem) -> refuse(call, problem);
            case SessionDirectory.Denied(_, Problem problem) -> refuse(call, problem);
            case SessionDirectory.Admitted(SealedTicket sealed) -> run(request, sealed, call);
        }
    }

    private void run(
            RunRequest request,
            SealedTicket sealed,
            ServerCallStreamObserver<GenerationEvent> call) {
        Ticket ticket = sealed.ticket();
        AtomicInteger epoch = new AtomicInteger(ticket.epoch());
        Runnable forget = () -> directory.forget(ticket.session(), epoch.get());
        Optional<HeadHost.HeadModel> model = host.find(ticket.modelId(), ticket.head().span());
        if (model.isEmpty()) {
            forget.run();
            refuse(call, notHere(ticket));
            return;
        }
        LocalDateTime now = date(askedAtMillis(request));
        try {
            RunOrder order = RunOrder.of(request, ticket, model.get(), now);
            EventStream events =
                    new EventStream(call, model.get().vocabulary()::piece, epoch, forget);
            call.setOnCancelHandler(() ->
                    later(
                            orphanMillis(request),
                            () -> {
                                model.get().cancel(ticket.session(), ticket.epoch());
                                forget.run();
                            }));
            start(request, order, sealed, model.get(), events, call);
        } catch (RunOrder.Rejected e) {
            forget.run();
            refuse(call, e.problem());
        }
    }

    private void start(
            RunRequest request,
            RunOrder order,
            SealedTicket sealed,
            HeadHost.HeadModel model,
            EventStream events,
            ServerCallStreamObserver<GenerationEvent> call) {
        SessionId session = sealed.ticket().session();
        int epoch = sealed.ticket().epoch();
        call.setOnReadyHandler(events::drain);
        call.onNext(started(request, order, sealed.ticket(), model.chatTemplate()));
        var text =
                new TextAssembler(model.vocabulary(), order.stops(), request.getDeliveredBytes());
        GenerationStart generation =
                new GenerationStart(
                        sealed,
                        order.sampling(),
                        order.prompt(),
                        order.committed(),
                        order.maxTokens(),
                        text,
                        events,
                        turn(request, epoch),
                        Math.max(0, request.getRestMillis()));
        if (!model.start(generation)) {
            events.failed(full(), workerId);
        } else if (call.isCancelled() && orphanMillis(request) == 0) {
            model.cancel(session, epoch); // the caller hung up before there was anything to cancel
        }
    }

    /** Nonsense is taken for a turn that begins now: nothing is kept of what others hold then. */
    private static int turn(RunRequest request, int epoch) {
        int turn = Math.max(1, request.getTurn());
        return Math.min(turn, epoch);
    }

    /** Every head of a session makes the same prompt, whatever its own clock says. */
    private long askedAtMillis(RunRequest request) {
        long asked = request.getAskedAtMillis();
        return asked > 0 && asked < MOST_MILLIS ? asked : clockMillis.getAsLong();
    }

    /** How long the generation goes on when its gateway is lost. */
    private static long orphanMillis(RunRequest request) {
        return Math.clamp(request.getOrphanMillis(), 0, MOST_ORPHAN_MILLIS);
    }

    private static void later(long millis, Runnable what) {
        if (millis == 0) {
            what.run();
        } else {
            CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(what);
        }
    }

    /** Whoever has the ticket may end its generation, also when the ticket has expired. */
    @Override
    public void stop(StopRequest request, StreamObserver<StopReply> answer) {
        switch (directory.namedHead(request.getTicket())) {
            case SessionDirectory.Admitted(SealedTicket sealed) -> stop(sealed.ticket());
            case SessionDirectory.Denied(SealedTicket sealed, Problem _) -> stop(sealed.ticket());
            case SessionDirectory.Forged(Problem _) -> {}
        }
        answer.onNext(StopReply.getDefaultInstance());
        answer.onCompleted();
    }

    private void stop(Ticket ticket) {
        host.find(ticket.modelId(), ticket.head().span())
                .ifPresent(model -> model.cancel(ticket.session(), ticket.epoch()));
        directory.forget(ticket.session(), ticket.epoch());
    }

    @Override
    public void probe(HeadProbe request, StreamObserver<HeadProbeAnswer> answer) {
        answer.onNext(HeadProbeAnswer.getDefaultInstance());
        answer.onCompleted();
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeReply> answer) {
        answer.onNext(tokens.tokenize(request, date(clockMillis.getAsLong())));
        answer.onCompleted();
    }

    @Override
    public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeReply> answer) {
        answer.onNext(tokens.detokenize(request));
        answer.onCompleted();
    }

    private static LocalDateTime date(long millis) {
        return LocalDateTime.ofEpochSecond(millis / 1000, 0, ZoneOffset.UTC);
    }

    private static GenerationEvent started(
            RunRequest request, RunOrder order, Ticket ticket, ChatTemplate template) {
        Started.Builder started =
                Started.newBuilder()
                        .setRequestId(request.getRequest().getRequestId())
                        .setModelId(ticket.modelId())
                        .setPromptTokens(order.prompt().length)
                        .addAllRoute(ticket.stages().stream().map(Wire::toWire).toList());
        if (request.getRequest().getChat().getToolsCount() > 0) {
            started.setCallSyntax(template.callSyntax().toWire());
        }
        return GenerationEvent.newBuilder().setStarted(started).build();
    }

    private void refuse(ServerCallStreamObserver<GenerationEvent> call, Problem problem) {
        EventStream events = new EventStream(call, _ -> new byte[0], new AtomicInteger(), () -> {});
        call.setOnReadyHandler(events::drain);
        events.failed(problem, "");
    }

    private Problem notHere(Ticket ticket) {
        return Problem.of(
                Problem.Kind.MODEL_INCOMPLETE,
                "Worker %s does not serve blocks %s of model %s now; ask for a new route."
                        .formatted(workerId, ticket.head().span(), ticket.modelId()));
    }

    private Problem full() {
        return Problem.of(
                Problem.Kind.OVERLOADED,
                "Worker %s has more to do than it takes; try again later.".formatted(workerId));
    }
}
