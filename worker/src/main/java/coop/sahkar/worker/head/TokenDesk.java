package coop.sahkar.worker.head;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.DetokenizeReply;
import coop.sahkar.proto.v1.DetokenizeRequest;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.proto.v1.TokenizeReply;
import coop.sahkar.proto.v1.TokenizeRequest;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.ring.SessionDirectory;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;

/** Answers what tokens a text has, and what text tokens have. Safe for many threads. */
final class TokenDesk {
    private final HeadHost host;
    private final SessionDirectory directory;

    TokenDesk(HeadHost host, SessionDirectory directory) {
        this.host = host;
        this.directory = directory;
    }

    /**
     * Cuts a text, or a conversation as the model's template writes it.
     *
     * @param now the date that some chat templates put in
     */
    TokenizeReply tokenize(TokenizeRequest request, LocalDateTime now) {
        try {
            HeadHost.HeadModel model = model(request.getTicket());
            Vocabulary vocabulary = model.vocabulary();
            int[] tokens = tokens(request, model, now);
            TokenizeReply.Builder reply = TokenizeReply.newBuilder();
            for (int token : tokens) {
                reply.addTokens(token);
                if (request.getWithPieces()) {
                    reply.addPieces(ByteString.copyFrom(vocabulary.piece(token)));
                }
            }
            return reply.build();
        } catch (RunOrder.Rejected rejected) {
            return TokenizeReply.newBuilder().setProblem(Wire.toWire(rejected.problem())).build();
        }
    }

    private static int[] tokens(
            TokenizeRequest request, HeadHost.HeadModel model, LocalDateTime now)
            throws RunOrder.Rejected {
        if (request.hasChat()) {
            GenerateRequest chat = GenerateRequest.newBuilder().setChat(request.getChat()).build();
            requireSize(chat.getSerializedSize(), "messages");
            return RunOrder.prompt(chat, model, now);
        }
        String text = request.getText();
        requireSize(text.getBytes(StandardCharsets.UTF_8).length, "prompt");
        return model.vocabulary()
                .tokenize(text, request.getAddSpecial(), request.getParseSpecial());
    }

    private static void requireSize(int bytes, String field) throws RunOrder.Rejected {
        if (bytes > Limits.MAX_TOKENIZE_BYTES) {
            throw rejected(
                    Problem.inField(
                            field,
                            "%s has %d bytes; at most %d are cut into tokens at once."
                                    .formatted(field, bytes, Limits.MAX_TOKENIZE_BYTES)));
        }
    }

    /** Joins tokens. */
    DetokenizeReply detokenize(DetokenizeRequest request) {
        try {
            Vocabulary vocabulary = model(request.getTicket()).vocabulary();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int token : request.getTokensList()) {
                if (token < 0 || token >= vocabulary.size()) {
                    throw rejected(
                            Problem.inField(
                                    "tokens",
                                    "tokens names %s; the model has %d."
                                            .formatted(
                                                    Integer.toUnsignedString(token),
                                                    vocabulary.size())));
                }
                bytes.writeBytes(vocabulary.piece(token));
                if (bytes.size() > Limits.MAX_TOKENIZE_BYTES) {
                    throw rejected(
                            Problem.inField(
                                    "tokens",
                                    "tokens stand for more than %d bytes of text."
                                            .formatted(Limits.MAX_TOKENIZE_BYTES)));
                }
            }
            return DetokenizeReply.newBuilder()
                    .setText(bytes.toString(StandardCharsets.UTF_8))
                    .build();
        } catch (RunOrder.Rejected rejected) {
            return DetokenizeReply.newBuilder().setProblem(Wire.toWire(rejected.problem())).build();
        }
    }

    private HeadHost.HeadModel model(SignedTicket wire) throws RunOrder.Rejected {
        return switch (directory.namedHead(wire)) {
            case SessionDirectory.Forged(Problem problem) -> throw rejected(problem);
            case SessionDirectory.Denied(_, Problem problem) -> throw rejected(problem);
            case SessionDirectory.Admitted(SealedTicket sealed) -> {
                Ticket ticket = sealed.ticket();
                yield host.find(ticket.modelId(), ticket.head().span())
                        .orElseThrow(() -> rejected(notHere(ticket)));
            }
        };
    }

    private static Problem notHere(Ticket ticket) {
        return Problem.of(
                Problem.Kind.MODEL_INCOMPLETE,
                "Worker %s does not serve the head of model %s now; ask again."
                        .formatted(ticket.head().workerId(), ticket.modelId()));
    }

    private static RunOrder.Rejected rejected(Problem problem) {
        return new RunOrder.Rejected(problem);
    }
}
