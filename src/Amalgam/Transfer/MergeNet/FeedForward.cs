using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>The part of a knowledge transfer layer that works on each row alone: two linear layers, twice as wide between them, with Gelu in its tanh form.</summary>
/// <param name="Site">Where the adapter is built.</param>
/// <param name="Name">Name of this part.</param>
/// <param name="Form">Residual: rows are normalised first and the result is what is to be added, zero at the start. Published: the normalised sum, of matrices over their spectral norms.</param>
/// <param name="Dropout">Share of the result that is dropped in training.</param>
internal sealed record FeedForward(AdapterSite Site, string Name, AdapterForm Form, double Dropout)
{
    /// <summary>The rows, made anew.</summary>
    public Node Of(Node x)
    {
        int columns = x.Shape.Size(1);
        if (Form == AdapterForm.Residual)
        {
            Node inner = Site.Linear(Site.Norm(x, $"{Name}.norm"), $"{Name}.up", 2 * columns).Gelu(tanh: true);
            return Site.Linear(inner, $"{Name}.down", columns, Initialisation.Zeros, Initialisation.Zeros).Dropout((float)Dropout);
        }

        Node wide = Normed(x, "up", 2 * columns).Gelu(tanh: true);
        return Site.Norm(x + Normed(wide, "down", columns).Dropout((float)Dropout), $"{Name}.norm");
    }

    /// <summary>What such a part takes.</summary>
    public static AdapterSize SizeOf(double rows, double columns, AdapterForm form)
    {
        AdapterSize size = AdapterSize.Linear(rows, columns, 2 * columns) + AdapterSize.Linear(rows, 2 * columns, columns) + AdapterSize.Norm(columns);
        return form == AdapterForm.Published ? size + new AdapterSize(6 * columns, 0) : size;
    }

    /// <summary>A linear layer whose matrix has spectral norm 1.</summary>
    private Node Normed(Node x, string name, int outputs)
    {
        name = $"{Name}.{name}";
        Node weight = Site.Weight($"{name}.weight", new(outputs, x.Shape[1]), Initialisation.Default);
        Node bias = Site.Weight($"{name}.bias", new(outputs), Initialisation.Uniform(1 / Math.Sqrt(x.Shape[1])));
        return x.Linear(SpectralNorm.Of(Site, weight, name), bias);
    }
}
