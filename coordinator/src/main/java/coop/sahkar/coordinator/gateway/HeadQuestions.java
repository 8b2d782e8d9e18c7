package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.DetokenizeReply;
import coop.sahkar.proto.v1.DetokenizeRequest;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.proto.v1.TokenizeReply;
import coop.sahkar.proto.v1.TokenizeRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Asks heads what needs no session: a route is drawn to find one and given back at once; its ticket
 * proves who asks.
 */
final class HeadQuestions {
    private final GenerationRunner runner;

    HeadQuestions(GenerationRunner runner) {
        this.runner = runner;
    }

    CompletableFuture<TokenizeReply> tokenize(String model, TokenizeRequest.Builder request) {
        return ask(
                model,
                problem -> TokenizeReply.newBuilder().setProblem(Wire.toWire(problem)).build(),
                (head, answer) ->
                        head.stub().tokenize(request.setTicket(head.ticket()).build(), answer));
    }

    CompletableFuture<DetokenizeReply> detokenize(String model, DetokenizeRequest.Builder request) {
        return ask(
                model,
                problem -> DetokenizeReply.newBuilder().setProblem(Wire.toWire(problem)).build(),
                (head, answer) ->
                        head.stub().detokenize(request.setTicket(head.ticket()).build(), answer));
    }

    private record Head(HeadGrpc.HeadStub stub, SignedTicket ticket) {}

    private <A> CompletableFuture<A> ask(
            String model,
            Function<Problem, A> refusal,
            BiConsumer<Head, StreamObserver<A>> question) {
        CompletableFuture<A> answer = new CompletableFuture<>();
        switch (runner.routes().draw(RouteWish.fresh(model, 1))) {
            case RouteAnswer.None(Problem problem, var _) ->
                    answer.complete(refusal.apply(problem));
            case RouteAnswer.Found(var route) -> {
                SealedTicket ticket = route.ticket();
                runner.routes().release(ticket.ticket());
                RouteStage stage = ticket.ticket().head();
                Reply<A> reply = new Reply<>(stage.workerId(), answer, refusal);
                try {
                    question.accept(head(stage, ticket), reply);
                } catch (IllegalArgumentException | IllegalStateException unreachable) {
                    reply.onError(Status.UNAVAILABLE.asRuntimeException());
                }
            }
        }
        return answer;
    }

    private Head head(RouteStage stage, SealedTicket ticket) {
        HeadGrpc.HeadStub stub =
                HeadGrpc.newStub(runner.heads().to(stage.workerId(), runner.address(stage)))
                        .withDeadlineAfter(GatewayLimits.TOKENIZE_MILLIS, TimeUnit.MILLISECONDS)
                        .withMaxInboundMessageSize(Limits.MAX_TOKENIZED_BYTES);
        return new Head(stub, HeadRequests.signed(ticket));
    }

    /** Hears one answer, or why there is none. */
    private record Reply<A>(
            String worker, CompletableFuture<A> answer, Function<Problem, A> refusal)
            implements StreamObserver<A> {
        @Override
        public void onNext(A value) {
            answer.complete(value);
        }

        @Override
        public void onError(Throwable failure) {
            Problem problem = Problems.ofStatus(Status.fromThrowable(failure), worker);
            answer.complete(refusal.apply(problem));
        }

        @Override
        public void onCompleted() {
            answer.complete(
                    refusal.apply(Problems.lost("Worker %s said nothing.".formatted(worker))));
        }
    }
}
