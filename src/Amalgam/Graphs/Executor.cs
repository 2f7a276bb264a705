using System.Diagnostics;
using Amalgam.Numerics;

namespace Amalgam.Graphs;

/// <param name="Threads">Threads that a run may use; null for all cores. The results are the same.</param>
/// <param name="Rewrites">Whether the graph is first made faster (chains of element-wise operations become one). Results agree within rounding.</param>
/// <param name="Frozen">The parameters will not change: what depends on them alone is computed once, and batch normalisation goes into the convolution before it.</param>
/// <param name="Profile">Whether the time of each operation is taken.</param>
public sealed record ExecutorOptions(int? Threads = null, bool Rewrites = true, bool Frozen = false, bool Profile = false);

/// <summary>Time of one operation over all runs so far.</summary>
/// <param name="Node">The operation, in the graph as it is run.</param>
/// <param name="Time">Time spent.</param>
/// <param name="Runs">Number of runs.</param>
public readonly record struct OperationTime(Node Node, TimeSpan Time, long Runs);

/// <summary>
/// Runs a graph. Memory is planned when it is made: a value lives from the operation that makes it to the last that uses it, values that do not live at the
/// same time share memory, and a run allocates nothing. Any node can be observed by naming it as a result.
/// </summary>
public sealed class Executor
{
    private readonly Dictionary<Node, Tensor> _values = [];
    private readonly Dictionary<string, Tensor> _named = [];
    private readonly Dictionary<Node, int> _ends = [];
    private readonly Step[] _steps;
    private readonly long[]? _ticks;
    private readonly int? _threads;
    private long _runs;
    private int? _stoppedAt;

    /// <param name="graph">The graph. Nodes added to it later are not seen.</param>
    /// <param name="results">The nodes whose values are wanted after a run; only what they need is run.</param>
    /// <param name="options">How to run.</param>
    public Executor(Graph graph, IEnumerable<Node> results, ExecutorOptions? options = null)
    {
        options ??= new();
        Node[] wanted = [.. results.Distinct()];
        foreach (Node node in wanted)
        {
            if (node.Graph != graph) throw new ArgumentException($"{node} belongs to another graph", nameof(results));
        }

        GraphCopy copy = Optimization.Apply(graph, wanted, options);
        MemoryPlan plan = new(copy.Graph, [.. wanted.Select(node => copy.Map[node])]);
        _steps = plan.Steps;
        _threads = options.Threads;
        if (options.Profile) _ticks = new long[_steps.Length];
        ArenaBytes = plan.ArenaBytes;
        Dictionary<Node, int> places = _steps.Select((step, i) => (step.Node, i)).ToDictionary(p => p.Node, p => p.i);
        foreach (Node node in wanted)
        {
            Node made = copy.Map[node];
            while (made.Op.Reuse == Reuse.View) made = made.Inputs[0];
            _ends[node] = places.TryGetValue(made, out int at) ? at + 1 : 0;
        }

        foreach (Node node in wanted.Concat(graph.Inputs.Values).Distinct()) _values[node] = plan[copy.Map[node]];
        foreach (var (node, value) in _values)
        {
            if (node.Name is not null) _named[node.Name] = value;
        }

        foreach (var (name, node) in graph.Outputs)
        {
            if (_values.TryGetValue(node, out Tensor? value)) _named[name] = value;
        }
    }

    /// <summary>Runs all outputs of a graph.</summary>
    public Executor(Graph graph, ExecutorOptions? options = null) : this(graph, graph.Outputs.Values, options)
    {
    }

    /// <summary>Memory for the values that a run computes, in bytes.</summary>
    public long ArenaBytes { get; }

    /// <summary>Number of operations of a run.</summary>
    public int Operations => _steps.Length;

    /// <summary>The memory of an input, to be filled before a run, or of a result, to be read after it; the next run writes over results.</summary>
    /// <exception cref="ArgumentException">The node is neither an input nor a result.</exception>
    public Tensor this[Node node] => _values.TryGetValue(node, out Tensor? value) ? value : throw new ArgumentException($"{node} is neither an input nor a result of this executor", nameof(node));

    /// <summary>The memory of an input or a result, by the name of the node or of the output.</summary>
    public Tensor this[string name] => _named.TryGetValue(name, out Tensor? value)
        ? value
        : throw new ArgumentException($"'{name}' is neither an input nor a result of this executor; there are {string.Join(", ", _named.Keys.Select(n => $"'{n}'"))}", nameof(name));

    /// <summary>Whether there is an input or a result of that name.</summary>
    public bool Has(string name) => _named.ContainsKey(name);

    /// <summary>Computes the results from the inputs and the parameters as they are now.</summary>
    /// <param name="cancel">Looked at between operations.</param>
    /// <exception cref="GraphException">An operation found a value that it cannot take, such as an index out of range.</exception>
    public void Run(CancellationToken cancel = default)
    {
        Run(0, _steps.Length, cancel);
        _runs++;
    }

    /// <summary>
    /// Computes in two parts: first all up to a result, with which inputs may be filled that only what follows reads; then, by <see cref="RunAfter"/>, the rest. So a gradient can depend on what
    /// became of the value that it is of, without computing the value twice. Parameters and the other inputs must stay as they are in between.
    /// </summary>
    /// <param name="result">A result; operations added to the graph after it come after it here too.</param>
    /// <param name="cancel">Looked at between operations.</param>
    /// <exception cref="ArgumentException">The node is no result.</exception>
    internal void RunUntil(Node result, CancellationToken cancel = default)
    {
        int end = EndOf(result);
        Run(0, end, cancel);
        _stoppedAt = end;
    }

    /// <summary>Computes what <see cref="RunUntil"/> left.</summary>
    /// <param name="result">The result until which it was run.</param>
    /// <param name="cancel">Looked at between operations.</param>
    /// <exception cref="InvalidOperationException">It was not run until that result.</exception>
    internal void RunAfter(Node result, CancellationToken cancel = default)
    {
        int end = EndOf(result);
        if (_stoppedAt != end) throw new InvalidOperationException($"the executor has not been run until {result}");
        Run(end, _steps.Length, cancel);
        _runs++;
    }

    private int EndOf(Node result) => _ends.TryGetValue(result, out int end) ? end : throw new ArgumentException($"{result} is no result of this executor", nameof(result));

    private void Run(int from, int to, CancellationToken cancel)
    {
        _stoppedAt = null;
        using CoreLimit limit = Cores.Limit(_threads ?? Cores.Count);
        for (int i = from; i < to; i++)
        {
            cancel.ThrowIfCancellationRequested();
            long start = _ticks is null ? 0 : Stopwatch.GetTimestamp();
            Run(_steps[i]);
            if (_ticks is not null) _ticks[i] += Stopwatch.GetTimestamp() - start;
        }
    }

    /// <summary>Time of each operation, in the order of a run; empty unless <see cref="ExecutorOptions.Profile"/> was asked for.</summary>
    public IReadOnlyList<OperationTime> Profile() =>
        _ticks is null ? [] : [.. _steps.Select((step, i) => new OperationTime(step.Node, Stopwatch.GetElapsedTime(0, _ticks[i]), _runs))];

    /// <summary>Forgets the times so far: those of the first run hold the compilation of the kernels.</summary>
    public void ClearProfile()
    {
        _ticks?.AsSpan().Clear();
        _runs = 0;
    }

    private static void Run(Step step)
    {
        try
        {
            step.Node.Op.Run(step.Inputs, step.Result);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{step.Node} {step.Node.Shape}: {e.Message}", e);
        }
    }
}

/// <summary>One operation with the memory that it reads and writes.</summary>
internal sealed record Step(Node Node, Tensor[] Inputs, Tensor Result);
