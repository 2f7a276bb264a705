using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.Teaching;
using Loss = Amalgam.Training.Loss;

namespace Amalgam.Tests.Transfer.OfTeaching;

/// <summary>
/// A loss by itself: a student whose features are a parameter and whose scores are the last of them, and a teacher that says what it is told. So any scores, features and answers of a head can be given.
/// </summary>
internal sealed class Lesson
{
    public const string Parameter = "features";

    private readonly Graph _graph;
    private readonly LossNodes _nodes;
    private readonly Node _gradient;
    private readonly Executor _executor;
    private readonly int _classes;

    /// <param name="loss">The loss; it knows no teacher yet.</param>
    /// <param name="y">The samples' classes.</param>
    /// <param name="s">The student's scores.</param>
    /// <param name="t">The teacher's scores; null for no teacher.</param>
    /// <param name="before">The student's features before those that are its scores; of another length in the teacher.</param>
    /// <param name="teacherBefore">The teacher's.</param>
    /// <param name="epoch">The epoch at work.</param>
    public Lesson(Distillation loss, int[] y, double[][] s, double[][]? t, double[][]? before = null, double[][]? teacherBefore = null, int epoch = 1)
    {
        _classes = s[0].Length;
        _graph = Network(Joined(before, s), _classes);
        if (t is not null) loss = loss with { Teachers = [new(Network(Joined(teacherBefore, t), _classes))] };
        Loss begun = loss.Begin(_graph.Outputs.Values.Single(), 0);
        if (begun is Uskd { Head: { } head } && before is not null)
        {
            // The head says what the features before the scores are.
            head.Weight.Span.Clear();
            head.Bias.Span.Clear();
            for (int k = 0; k < _classes; k++) head.Weight.Span[k * head.Weight.Shape.Size(1) + k] = 1;
        }

        _nodes = begun.Add(_graph.Outputs.Values.Single());
        _gradient = Gradients.Of(_nodes.Value, [_graph.Parameters[Parameter]])[0];
        _executor = new(_graph, [_nodes.Value, _gradient]);
        for (int i = 0; i < y.Length; i++) _executor["label"].Span[i] = y[i];
        if (_executor.Has(TrainingForm.EpochName)) _executor[TrainingForm.EpochName].Span[0] = epoch;
        _executor.Run();
    }

    public double Value => _executor[_nodes.Value].Span[0];

    /// <summary>The gradient by the student's features, of which the last are its scores.</summary>
    public double[][] Gradient => Rows(_executor[_gradient]);

    public static double[][] Rows(Tensor x) => [.. x.Span.ToArray().Select(v => (double)v).Chunk(x.Shape.Size(1))];

    private static double[][] Joined(double[][]? before, double[][] scores) => before is null ? scores : [.. before.Zip(scores, (a, b) => (double[])[.. a, .. b])];

    private static Graph Network(double[][] features, int classes)
    {
        int width = features[0].Length;
        Graph graph = new();
        Tensor last = new(new(classes, width));
        for (int k = 0; k < classes; k++) last.Span[k * width + width - classes + k] = 1;
        Node of = graph.Parameter(Parameter, new(new(features.Length, width), [.. features.SelectMany(row => row).Select(v => (float)v)]));
        graph.Output("scores", (graph.Input("x", new(features.Length, 1)) * 0 + of).Linear(graph.Parameter("last", last, trainable: false)));
        return graph;
    }
}
